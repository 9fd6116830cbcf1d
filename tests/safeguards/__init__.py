"""Tests of the safeguards."""
