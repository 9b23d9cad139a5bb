"""Convolutions as a stream: one copy of each kernel, a few positions of a map per clock."""
