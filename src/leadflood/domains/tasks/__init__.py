"""Tasks on leads: what a member is to do, and until when."""
