"""How leads are written: one module a format."""
