"""Leads, their timeline, saved views, bulk changes and undo."""
