"""Revisions of metrics."""
