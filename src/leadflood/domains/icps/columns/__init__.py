"""Statements that are made of a profile: scores, and the facts that they are made of."""
