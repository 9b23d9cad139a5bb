"""A float network becomes one of few bits and few connections, and what each step cost."""

from nnlogic.train.quantize.run import Quantized, Step, quantize

__all__ = ["Quantized", "Step", "quantize"]
