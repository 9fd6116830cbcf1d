"""Migrations of the tables of tokens, OAuth clients and breaker states."""
