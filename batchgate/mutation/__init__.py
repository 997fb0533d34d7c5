"""Damage to one point of what a batch made, from the difference of two snapshots."""
