"""Backups: one file with all rows of a database, checked when it is made and again when it is restored."""
