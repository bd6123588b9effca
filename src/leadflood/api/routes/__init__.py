"""Routes: one module for each domain."""
