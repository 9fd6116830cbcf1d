"""The migrations of the table of the outbox."""
