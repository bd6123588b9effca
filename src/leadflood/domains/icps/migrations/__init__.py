"""Revisions of icps."""
