"""Tests that identity providers drive the helpdesks of the documentation, and what the helpdesks make of it."""
