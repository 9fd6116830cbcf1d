"""Migrations of the table of tokens."""
