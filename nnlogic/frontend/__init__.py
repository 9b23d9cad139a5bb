"""Checkpoints in, QuantNet out."""

from nnlogic.frontend.dispatch import load
from nnlogic.frontend.native import load_native, read_golden

__all__ = ["load", "load_native", "read_golden"]
