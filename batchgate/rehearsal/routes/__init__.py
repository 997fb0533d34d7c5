"""An online route ends where the migration ends."""
