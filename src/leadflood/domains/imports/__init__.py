"""Imports: a file becomes leads, with a diff before anything is written and a way back after."""
