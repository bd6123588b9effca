"""Leads from CSV and XLSX files: mapping, preview, commit and undo."""
