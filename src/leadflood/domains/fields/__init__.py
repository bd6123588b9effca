"""Custom fields: which there are in a workspace, of what type, and how they are labeled and ordered."""
