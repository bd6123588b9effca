"""Revisions of enrichment."""
