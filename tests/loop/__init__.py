"""Tests of services on an event loop."""
