"""A mail server for development: it stores messages instead of delivering them."""
