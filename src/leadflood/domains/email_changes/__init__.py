"""Confirmed changes of a user's email."""
