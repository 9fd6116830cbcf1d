"""Requests to a database over HTTP: hosts with scimkit, a hand-written application, and the bare work."""
