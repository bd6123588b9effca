"""Contracts of profiles."""
