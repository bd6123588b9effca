"""Figures over time: what came in, what became of it, and how long that took."""
