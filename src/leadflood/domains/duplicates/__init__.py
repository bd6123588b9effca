"""Duplicates: leads that may be one person, found, reviewed, merged, and taken apart again."""
