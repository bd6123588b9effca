"""Tags on leads: names and colors, merged and deleted with undo."""
