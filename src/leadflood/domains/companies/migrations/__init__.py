"""Revisions of companies."""
