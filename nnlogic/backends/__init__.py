"""Ways to realize a network: a folder each, of its model, its proofs and its part of a run."""
