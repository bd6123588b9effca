"""Leads: people who may become customers, from capture to enriched."""
