"""Verbs of identity, a module each: access, signin, sessions, profile, passwords, workspaces, members, api_keys, audit.

`operators` is for the command line. Verbs that take a `Database` instead of a transaction work before a workspace is
known, or across all workspaces of one user, and commit by themselves.
"""
