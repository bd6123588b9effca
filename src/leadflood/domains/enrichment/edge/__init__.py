"""Enrichment over HTTP, and its pages."""
