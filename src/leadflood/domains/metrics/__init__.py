"""Metrics over time and the dashboard."""
