"""Twins of providers: servers that behave as their documentation says, and count what they charge.

The demo serves two of them, and tests measure with them whether anything was paid for twice.
"""
