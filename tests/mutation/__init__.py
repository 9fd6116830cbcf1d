"""Mutation testing of the filter, patch and projection packages: `python -m tests.mutation`."""
