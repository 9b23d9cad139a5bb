"""Sums of products on DSP slices, and LUTs for what reads them."""
