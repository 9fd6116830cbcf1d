"""Tests against running servers."""
