"""Invitations: how somebody outside becomes a member, by a link that comes with a mail."""
