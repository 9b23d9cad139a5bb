"""Approximate mode: don't-cares and sampled functions from observed rows."""
