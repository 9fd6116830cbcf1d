"""The generator of `scimkit.testing.corpus`, and its comparison of other implementations.

`python -m tests.corpus` writes the file of the cases. `python -m tests.corpus compare` runs other implementations.
"""
