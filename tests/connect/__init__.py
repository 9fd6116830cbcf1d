"""Tests of the pages that say how to connect an identity provider."""
