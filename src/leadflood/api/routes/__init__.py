"""One file of routes for each domain."""
