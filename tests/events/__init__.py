"""Events and listeners."""
