"""What an import is: its states, the file's format, and what a column can become. Pure functions."""
