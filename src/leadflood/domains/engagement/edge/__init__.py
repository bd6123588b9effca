"""Endpoints and pages of engagement."""
