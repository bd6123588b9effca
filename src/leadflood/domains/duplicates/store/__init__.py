"""SQL that writes duplicates."""
