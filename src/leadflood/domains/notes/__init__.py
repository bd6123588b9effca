"""Notes on leads: plain text by members, with undo of deletions."""
