"""Revisions of notes."""
