"""Tests of the tokens package."""
