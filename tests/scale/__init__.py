"""The service at the size of a large organisation, measured; run by hand."""
