"""The migrations of the tables of external ids."""
