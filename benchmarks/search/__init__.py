"""Which search finds better networks at equal trials."""
