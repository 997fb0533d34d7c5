"""No lock that others wait for is held during work that grows with the rows."""
