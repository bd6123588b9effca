"""Revisions of tasks."""
