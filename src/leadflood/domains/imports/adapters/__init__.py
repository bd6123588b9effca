"""Readers, one per file format. Each turns a file into records, within limits for any content."""
