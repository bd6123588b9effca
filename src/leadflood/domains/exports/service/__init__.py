"""Verbs on exports: leads at once, and files that a job writes."""
