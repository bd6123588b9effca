"""Revisions of rules."""
