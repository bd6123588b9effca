"""Alembic revisions: plain SQL, frozen once released. They import nothing of the rest of the program."""
