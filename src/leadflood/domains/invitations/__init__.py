"""Invitations to a workspace by email."""
