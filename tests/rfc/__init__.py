"""The clauses of the RFCs that apply to a service provider, and the tests that verify them."""
