"""Tree search over moves of minimization, against the fixed portfolio at equal time."""
