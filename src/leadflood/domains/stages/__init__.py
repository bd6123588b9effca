"""Stages of leads: the team's own list of lifecycle statuses, from new to customer."""
