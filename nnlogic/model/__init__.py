"""A network as data: the words that training writes and importers read. NumPy only."""
