"""Migrations of the tables of external ids."""
