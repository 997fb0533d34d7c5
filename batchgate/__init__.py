"""Prove SQL batches and gate the data: a pytest plugin for PostgreSQL."""
