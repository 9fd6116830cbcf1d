"""What the RFCs ask of a service provider, clause by clause, and the tests that show it."""
