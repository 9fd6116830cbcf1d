"""The memory of a service after very many different requests."""
