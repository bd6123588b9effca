"""Endpoints and pages of lists."""
