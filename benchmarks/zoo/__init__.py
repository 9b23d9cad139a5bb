"""The zoo's table and its retrained peers."""
