"""Backups: one file with all rows of a database, verified when it is created and when it is restored."""
