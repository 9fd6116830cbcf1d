"""What hosts test with: identity-provider simulators, strategies, and a real server in a thread.

Import the modules one by one; each says which extra it needs.
"""
