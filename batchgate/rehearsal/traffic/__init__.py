"""Readers and writers go on beside a batch, and a batch gives up its place in a queue."""
