"""Tests of `scimkit.telemetry`."""
