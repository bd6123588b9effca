"""Sources of values about companies and people, a folder each."""
