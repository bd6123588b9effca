"""PostgreSQL: the embedded server, connections, transactions."""
