"""What a network will take as a whole: figures of the logic, learned from compiled networks."""
