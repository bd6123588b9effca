"""The sources of enrichment, one folder each. They do not know each other."""
