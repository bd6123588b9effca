"""Rules: what happens to leads that enter or leave a tier of a profile."""
