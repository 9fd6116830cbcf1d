"""The migrations of the tables of the provisioning log."""
