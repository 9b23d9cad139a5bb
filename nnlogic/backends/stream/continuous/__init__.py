"""Streams without frames: one sample per clock, windows that slide for ever."""
