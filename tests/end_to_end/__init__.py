"""Tests against started servers."""
