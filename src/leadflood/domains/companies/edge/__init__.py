"""Endpoints and pages of companies."""
