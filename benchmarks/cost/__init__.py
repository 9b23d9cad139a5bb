"""Calibration of the LUT cost model against the minimizer."""
