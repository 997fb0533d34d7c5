"""Run a gate: one statement, in one read-only transaction, to one result."""
