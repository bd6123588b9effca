"""Sources, the values they find, and where each value comes from."""
