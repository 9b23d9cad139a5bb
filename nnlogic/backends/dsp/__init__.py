"""Bitwise operations on the logic units of DSP slices: a program, and an engine that runs it."""
