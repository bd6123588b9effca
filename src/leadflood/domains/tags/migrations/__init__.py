"""Revisions of tags."""
