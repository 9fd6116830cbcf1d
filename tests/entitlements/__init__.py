"""Tests of roles and entitlements."""
