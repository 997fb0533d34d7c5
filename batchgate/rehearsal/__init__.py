"""What every batch must prove, and the scripts that claim to prove it: `checks` lists it."""
