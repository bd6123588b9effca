"""Fixtures of the API."""

from tests.support.api import caller, gate, parts, toys

__all__ = ["caller", "gate", "parts", "toys"]
