"""Errors of metrics: none so far, contracts refuse invalid input."""
