"""The queue: a port and its carriers.

Import `ports` for the types; only the composition root and tests import a carrier.
"""
