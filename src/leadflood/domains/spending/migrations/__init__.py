"""Revisions of spending."""
