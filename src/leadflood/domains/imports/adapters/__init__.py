"""Readers, one a sort of file. Each turns a file into records, within bounds whatever the file holds."""
