"""Sources of enrichment, one folder each. They are independent of each other."""
