"""What surrounds a core on a board: a serial port that takes rows, and a self-test."""
