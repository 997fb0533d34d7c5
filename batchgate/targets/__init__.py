"""The databases that a DSN names: reached by gates alone, read and never written."""
