"""The stores through PgBouncer in transaction mode, where each transaction may run in another session of the server."""
