"""A validation passes, leaves no trace, and is able to fail."""
