"""Verbs on exports: direct downloads, and files that a job writes."""
