"""Small ONNX models, made node by node: quantizers of QONNX, and QuantizeLinear with Clip."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto, helper, numpy_helper

DOMAIN = "qonnx.custom_op.general"


class Builder:
    """Nodes one after another; every method returns the name of what it makes."""

    def __init__(self, shape, seed=0, domain=DOMAIN, opset=13):
        self.rng = np.random.default_rng(seed)
        self.shape, self.domain, self.opset = shape, domain, opset
        self.nodes, self.weights = [], []

    def constant(self, value, dtype=np.float32):
        name = f"c{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def node(self, op, *inputs, domain="", **attributes):
        out = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [out], domain=domain, **attributes))
        return out

    def quant(self, x, scale, bits, signed=1, narrow=0, mode="ROUND", zero=0.0):
        rest = [self.constant(v) for v in (scale, zero, bits)]
        return self.node(
            "Quant", x, *rest, domain=self.domain, signed=signed, narrow=narrow, rounding_mode=mode
        )

    def bipolar(self, x, scale=1.0):
        return self.node("BipolarQuant", x, self.constant(scale), domain=self.domain)

    def qcdq(self, x, scale, kind=np.int8, lo=None, hi=None, zero=0):
        """QuantizeLinear, Clip, DequantizeLinear, as Brevitas writes them."""
        scale, zero = self.constant(scale), self.constant(zero, kind)
        y = self.node("QuantizeLinear", x, scale, zero)
        if lo is not None:
            y = self.node("Clip", y, self.constant(lo, kind), self.constant(hi, kind))
        return self.node("DequantizeLinear", y, scale, zero)

    def norm(self, x, size):
        draw = self.rng.normal
        parts = [draw(1, 0.5, size), draw(0, 0.5, size), draw(0, 1, size), draw(0, 1, size) ** 2]
        names = [self.constant(p) for p in parts]
        return self.node("BatchNormalization", x, *names, epsilon=1e-5)

    def weight(self, *shape, spread=3):
        return self.constant(self.rng.integers(-spread, spread + 1, shape) / 4)

    def model(self, out, outputs=(1, 3), name="m"):
        graph = helper.make_graph(
            self.nodes, name,
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, self.shape)],
            [helper.make_tensor_value_info(out, TensorProto.FLOAT, outputs)],
            self.weights,
        )  # fmt: skip
        opsets = [helper.make_opsetid("", self.opset), helper.make_opsetid(self.domain, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def dense(seed=0, classes=3, softmax=True):
    """Quant, MatMul, norm, ReLU, twice; a Gemm with a bias; and a softmax."""
    b = Builder((1, 4), seed)
    y = b.quant("x", 0.25, 4)
    w = b.quant(b.weight(4, 6), 0.25, 3)
    y = b.quant(b.node("Relu", b.norm(b.node("MatMul", y, w), 6)), 0.5, 2, signed=0)
    w = b.bipolar(b.constant(b.rng.normal(size=(5, 6))))
    y = b.norm(b.node("MatMul", y, b.node("Transpose", w, perm=[1, 0])), 5)
    y = b.bipolar(y)
    w = b.quant(b.weight(classes, 5), 0.25, 3, narrow=1)
    bias = b.quant(b.constant(b.rng.normal(size=classes)), 0.125, 6)
    y = b.node("Gemm", y, w, bias, transB=1)
    y = b.node("Softmax", y, axis=1) if softmax else y
    return b.model(y, (1, classes))


def qcdq(seed=0):
    """The same with QuantizeLinear, Clip and DequantizeLinear; weights are integers."""
    b = Builder((1, 4), seed)
    y = b.qcdq("x", 0.25, lo=-7, hi=7)
    scale, zero = b.constant([0.25, 0.5, 0.125, 0.25]), b.constant([0] * 4, np.int8)
    w = b.constant(b.rng.integers(-3, 4, (4, 4)), np.int8)
    w = b.node("DequantizeLinear", w, scale, zero, axis=0)
    y = b.node("Gemm", y, w, b.constant(b.rng.integers(-9, 9, 4) / 16), transB=1)
    y = b.qcdq(b.node("Relu", y), 0.125, np.uint8, lo=0, hi=7)
    w = b.node("DequantizeLinear", b.constant(b.rng.integers(-3, 4, (4, 3)), np.int8),
               b.constant(0.5), b.constant(0, np.int8))  # fmt: skip
    return b.model(b.node("MatMul", y, w))


def save(model, path):
    path.write_bytes(model.SerializeToString())
    return path


def images(seed=0, channels=1, size=6, tail="flat"):
    """Convolution, norm, ReLU, pooling, a second convolution, and a dense layer."""
    b = Builder((1, channels, size, size), seed)
    y = b.quant("x", 0.5, 3)
    w = b.quant(b.weight(3, channels, 3, 3), 0.25, 3)
    y = b.node("Conv", y, w, b.constant(b.rng.integers(-4, 5, 3) / 8), kernel_shape=[3, 3],
               pads=[1, 1, 1, 1])  # fmt: skip
    y = b.quant(b.node("Relu", b.norm(y, 3)), 0.5, 2, signed=0)
    y = b.node("MaxPool", y, kernel_shape=[2, 2], strides=[2, 2])
    w = b.quant(b.weight(4, 3, 2, 2), 0.25, 2, narrow=1)
    y = b.bipolar(b.norm(b.node("Conv", y, w), 4))
    if tail == "mean":
        y = b.quant(b.node("GlobalAveragePool", y), 0.25, 4)
        y = b.node("Flatten", y)
        return b.model(y, (1, 4))
    y = b.node("Flatten", y)
    return b.model(b.node("MatMul", y, b.weight(4 * (size // 2 - 1) ** 2, 3)))
