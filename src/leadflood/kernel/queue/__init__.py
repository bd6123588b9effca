"""The queue: a port and its backends.

Import `ports` for the types; only the composition root and tests import a backend.
"""
