"""Revisions of engagement."""
