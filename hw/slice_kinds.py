"""The slices that engines and chains are made of."""

DSP48E1, DSP48E2, FABRIC = KINDS = ("dsp48e1", "dsp48e2", "fabric")
"""Two generations of the DSP cell, and the same function in ordinary LUTs and flip-flops."""
