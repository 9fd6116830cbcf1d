"""A measurement of the memory of a service after many different requests."""
