"""Imports: states, file format, and targets of columns. Pure functions."""
