"""Measurements of the service with the users and groups of a large organization. Run them by hand."""
