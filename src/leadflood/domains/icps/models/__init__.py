"""Profiles as data, and what they say of one lead. Pure: nothing here asks a database."""
