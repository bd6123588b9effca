"""Ideal customer profiles: which leads fit, by points for facts that a workspace chose itself."""
