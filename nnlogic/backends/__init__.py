"""What computes the logic of a network: one folder per backend, found by themselves."""
