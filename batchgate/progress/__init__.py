"""What a long run is doing: a live line on a terminal, plain lines in a log."""
