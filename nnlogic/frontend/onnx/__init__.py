"""ONNX, with the quantizers of QONNX (Brevitas, QKeras) and of QuantizeLinear."""

from nnlogic.frontend.onnx.format import FORMAT

__all__ = ["FORMAT"]
