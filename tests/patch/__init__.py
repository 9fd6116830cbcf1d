"""Tests of the patch package."""
