"""What a read-only statement could do beyond its transaction, found before anything of it runs."""
