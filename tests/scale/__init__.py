"""The service at the size of a large organization, measured; run by hand."""
