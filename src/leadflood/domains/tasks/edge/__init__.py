"""Endpoints and pages of tasks."""
