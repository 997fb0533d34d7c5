"""What a rollback owes to the rows: those that stood before, and those written since."""
