"""Graphs of tensors as networks: what importers of modules and of ONNX share."""
