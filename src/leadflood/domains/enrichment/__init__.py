"""Enrichment: what adapters find out about a lead, the receipt of every value, and which value wins."""
