"""Security event tokens."""
