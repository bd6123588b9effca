"""Endpoints and pages of notes."""
