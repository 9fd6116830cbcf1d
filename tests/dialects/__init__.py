"""Tests of the dialects package."""
