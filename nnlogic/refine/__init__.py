"""Networks of LUTs made better, and smaller, by their rows: exact, table by table."""
