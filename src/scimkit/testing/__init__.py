"""Tools for testing a SCIM service: identity-provider simulators, hypothesis strategies and a server in a thread.

Import each module directly. If a package is missing, the import error names the extra to install.
"""
