"""Tests of `scimkit.oauth`."""
