"""Endpoints and pages of rules."""
