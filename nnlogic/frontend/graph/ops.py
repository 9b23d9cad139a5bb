"""The operations of aten that a graph may use, and what nnlogic may rely on of each.

Only these are called: aten also has operations that open files.
"""

from __future__ import annotations

from typing import Any

import torch


def names(text: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(text.split())


MONOTONE = names(
    """add.Tensor add.Scalar sub.Tensor sub.Scalar mul.Tensor mul.Scalar div.Tensor div.Scalar
    rsub.Scalar rsub.Tensor neg.default relu.default hardtanh.default
    relu6.default clamp.default clamp.Tensor clamp_min.default
    clamp_max.default round.default floor.default ceil.default trunc.default
    sign.default sgn.default gt.Scalar ge.Scalar lt.Scalar le.Scalar gt.Tensor ge.Tensor
    lt.Tensor le.Tensor fake_quantize_per_tensor_affine.default
    fake_quantize_per_tensor_affine.tensor_qparams fake_quantize_per_channel_affine.default
    logical_not.default maximum.default minimum.default max.other min.other batch_norm.default
    _native_batch_norm_legit_no_training.default native_batch_norm.default where.self
    where.ScalarSelf where.ScalarOther where.Scalar hardsigmoid.default
    fake_quantize_per_tensor_affine_cachemask.default
    _fake_quantize_per_tensor_affine_cachemask_tensor_qparams.default
    fake_quantize_per_channel_affine_cachemask.default"""
)
"""Rounding keeps these monotone in each operand, where all others are constants."""
STEPS = names(
    """round.default floor.default ceil.default trunc.default sign.default sgn.default gt.Scalar
    ge.Scalar lt.Scalar le.Scalar gt.Tensor ge.Tensor lt.Tensor le.Tensor
    fake_quantize_per_tensor_affine.default fake_quantize_per_tensor_affine.tensor_qparams
    fake_quantize_per_channel_affine.default fake_quantize_per_tensor_affine_cachemask.default
    _fake_quantize_per_tensor_affine_cachemask_tensor_qparams.default
    fake_quantize_per_channel_affine_cachemask.default"""
)
"""What makes a few levels of many values."""
ELEMENTWISE = MONOTONE | names(
    """abs.default eq.Scalar eq.Tensor ne.Scalar ne.Tensor logical_and.default logical_or.default
    logical_xor.default bitwise_and.Tensor bitwise_or.Tensor bitwise_xor.Tensor
    bitwise_not.default sigmoid.default tanh.default silu.default gelu.default elu.default
    exp.default log.default sqrt.default rsqrt.default square.default pow.Tensor_Scalar
    hardswish.default softplus.default sin.default cos.default remainder.Scalar fmod.Scalar
    mish.default leaky_relu.default threshold.default heaviside.default"""
)
"""Each element of the result is a function of one element of each operand."""
SAME = names(
    """alias.default detach.default detach_.default clone.default contiguous.default
    dropout.default alpha_dropout.default feature_dropout.default
    lift_fresh_copy.default lift_fresh.default native_dropout.default"""
)
"""Give what they were given, in eval mode."""
CAST = names("""_to_copy.default to.dtype to.dtype_layout type_as.default to.device to.other""")
SHAPE = names(
    """view.default reshape.default _unsafe_view.default flatten.using_ints squeeze.dim
    squeeze.dims unsqueeze.default permute.default transpose.int slice.Tensor select.int
    index_select.default flip.default unflatten.int"""
)
"""Move elements, and look at none."""
JOIN = frozenset(("cat.default", "concat.default", "concatenate.default", "stack.default"))
CONVOLVE = frozenset(("conv2d.default", "conv1d.default", "convolution.default"))
POOL = frozenset(
    ("max_pool2d.default", "max_pool1d.default", "avg_pool2d.default", "avg_pool1d.default")
)
LINEAR = frozenset(("linear.default", "addmm.default", "mm.default", "matmul.default"))
NORM = names(
    """batch_norm.default _native_batch_norm_legit_no_training.default native_batch_norm.default"""
)
CONSTANT = (
    ELEMENTWISE | SAME | CAST | SHAPE | JOIN | LINEAR | names(
    """t.default squeeze.default pow.Scalar pow.Tensor_Tensor max.dim min.dim slice_scatter.default
    mean.default mean.dim sum.default sum.dim_IntList
    max.default min.default amax.default amin.default expand.default numpy_T.default
    std.correction sign.default
    zeros_like.default ones_like.default full_like.default reciprocal.default exp2.default
    log2.default scalar_tensor.default"""
)
)  # fmt: skip
"""Of constants alone."""
NOTHING = names(
    """sym_size.int _assert_tensor_metadata.default _assert_async.msg _assert_scalar.default
    sym_constrain_range_for_size.default"""
)
"""Look at shapes alone."""
MOST = 1 << 24
"""Elements of a constant."""


MADE = names("zeros.default ones.default full.default")
"""Make constants of a size that is given."""
LAST = names("softmax.int log_softmax.int _softmax.default _log_softmax.default argmax.default")
"""Leave the order of the scores as it is, at the end."""
RUN = (
    CONSTANT | MADE | CONVOLVE | POOL | LAST | names(
    """max.dim erf.default selu.default celu.default prelu.default _prelu_kernel.default
    log_sigmoid.default layer_norm.default native_layer_norm.default group_norm.default
    adaptive_avg_pool2d.default adaptive_avg_pool1d.default _adaptive_avg_pool2d.default
    bmm.default scaled_dot_product_attention.default split.Tensor chunk.default
    movedim.int expand_as.default"""
)
)  # fmt: skip
"""What float graphs are run with."""


def call(op: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run an operation of the lists above with torch's own code."""
    packet, _, overload = op.partition(".")
    return getattr(getattr(torch.ops.aten, packet), overload)(*args, **kwargs)


REWRITES = {
    "softmax": "leave it out at the end: the class is the argmax of the scores; inside a network, "
    "use a quantized activation",
    "log_softmax": "leave it out: the class is the argmax of the scores",
    "_softmax": "leave it out at the end: the class is the argmax of the scores; inside a network, "
    "use a quantized activation",
    "lstm": "a network of feed-forward layers: logic has no state",
    "gru": "a network of feed-forward layers: logic has no state",
    "layer_norm": "nn.BatchNorm1d, whose statistics are constants in eval mode",
    "native_layer_norm": "nn.BatchNorm1d, whose statistics are constants in eval mode",
    "embedding": "input bits: one-hot codes through nn.Linear",
    "max": "argmax(dim=1)",
    "dropout": "module.eval() before the export",
}
"""What to use instead, by the name of the operation."""


def instead(op: str) -> str:
    """Return what to use instead of an operation; an empty text where nothing is known."""
    return REWRITES.get(op.partition(".")[0], "")
