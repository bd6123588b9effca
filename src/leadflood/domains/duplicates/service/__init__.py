"""Verbs of duplicates."""
