"""Tests of the distributions, of each extra, and of old and new dependencies. `python -m tests.packaging` runs all."""
