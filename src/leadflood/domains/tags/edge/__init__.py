"""Endpoints and pages of tags."""
