"""The tests of scimkit: one test module for each source module, and end-to-end tests."""
