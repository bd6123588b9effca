"""Substitutes for the outside world, for the demo and the tests."""
