"""Whatever befalls a statement of a file, nothing is left halfway."""
