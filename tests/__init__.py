"""The tests of scimkit: one module for each source module, and the whole of it end to end."""
