"""Engagement: what leads did, with points that lose half of their value in each half-life."""
