"""Measurements of each step beside its peers."""
