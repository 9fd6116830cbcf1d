"""Tests of the documentation, and the commands that draw its pictures."""
