"""What every run has: its directory, rows, options, stages, and the contract of a backend."""
