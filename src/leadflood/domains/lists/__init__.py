"""Static lists of leads."""
