"""Tests of the provisioning log."""
