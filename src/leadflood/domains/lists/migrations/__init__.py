"""Revisions of lists."""
