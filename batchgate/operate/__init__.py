"""What an operator does to a database: look where it stands, apply, validate, roll back."""
