"""Endpoints and pages of profiles."""
