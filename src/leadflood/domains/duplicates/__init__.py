"""Find, merge and unmerge leads that are the same person."""
