"""Float parameters plus architecture -> QuantNet, through the exact fold. NumPy only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.archive import frozen
from nnlogic.core.errors import CheckpointError, IRError, Problem
from nnlogic.core.formats import IntFormat, Port
from nnlogic.model.architecture import Architecture
from nnlogic.model.layer import LayerSpec
from nnlogic.model.outputs import classes_said, quantities_said
from nnlogic.quant.fold import HALF, Levels, Norm, fold_linear, quantize_weights
from nnlogic.quant.ir import INPUT, InputQuantizer, Layer, Linear, QuantNet
from nnlogic.quant.quantity import Quantity

Arrays = Mapping[str, NDArray]


def input_levels(bits: int) -> Levels:
    """Return the values a network sees for input codes: steps of one around zero."""
    count = 1 << bits
    return Levels(Fraction(1), -Fraction(count - 1, 2), count)


def activation_levels(kind: str, bits: int, scale: float) -> Levels:
    """Return the levels of an activation of `bits` bits.

    ``sign`` and ``signed_uniform`` are symmetric without a zero level, ``pact`` starts at zero,
    ``qfx`` is two's complement.
    """
    count = 1 << bits
    zero = {"pact": Fraction(0), "qfx": -Fraction(count, 2)}.get(kind, HALF - Fraction(count, 2))
    return Levels(Fraction(scale), zero, count)


def expected_arrays(arch: Architecture) -> dict[str, tuple[int, ...]]:
    """Return name and shape of every parameter array of a checkpoint."""
    out: dict[str, tuple[int, ...]] = {
        f"input.{i}": ((1 << bits) - 1,) for i, bits in enumerate(arch.input_bits)
    }
    for index, spec in enumerate(arch.layers):
        out[f"{spec.name}.weight"] = (spec.width, len(arch.in_bits(index)))
        out[f"{spec.name}.scale"] = (1,)
        names = ("gamma", "beta", "mean", "var") if spec.batch_norm else ("bias",)
        out.update({f"{spec.name}.{name}": (spec.width,) for name in names})
    return out


def array_problems(arch: Architecture, arrays: Arrays) -> list[Problem]:
    """Return missing, unknown, misshapen and non-finite arrays; all of them."""
    expected = expected_arrays(arch)
    problems = []
    for name, shape in expected.items():
        if name not in arrays:
            fix = "the input encoder is part of the network; save with save_checkpoint"
            problems.append(Problem(name, "missing", fix if name.startswith("input.") else ""))
            continue
        array = arrays[name]
        if array.shape != shape:
            problems.append(Problem(name, f"shape {array.shape}, need {shape}"))
        elif array.dtype.kind != "f":
            problems.append(Problem(name, f"{array.dtype}, need floats"))
        elif not np.isfinite(array).all():
            bad = int((~np.isfinite(array)).sum())
            why = f"{bad} of {array.size} values are NaN or infinite"
            problems.append(Problem(name, why, "train again with a smaller learning rate"))
        elif name.endswith(".scale") and array[0] <= 0:
            problems.append(Problem(name, f"{float(array[0])}, need a positive scale"))
        elif name.endswith(".var") and (array.astype(np.float64) + arch.norm_eps <= 0).any():
            problems.append(Problem(name, "a variance is not positive"))
        elif name.startswith("input.") and (array[1:] < array[:-1]).any():
            problems.append(Problem(name, "input thresholds decrease"))
        elif name.startswith("input.") and (np.abs(array) > np.finfo(np.float32).max).any():
            problems.append(Problem(name, "input thresholds are beyond float32"))
    problems += [
        Problem(name, "unknown array", "not part of this architecture")
        for name in arrays
        if name not in expected
    ]
    return problems


def fold_layer(spec: LayerSpec, x: Levels, arrays: Arrays, eps: float) -> tuple[Any, Any, Levels]:
    """Fold one layer of a checkpoint.

    Returns
    -------
    weights, thresholds : int64 arrays
        As `nnlogic.quant.fold.fold_linear` returns them.
    levels : Levels
        Of the output codes.
    """
    part = {
        name.removeprefix(f"{spec.name}."): array
        for name, array in arrays.items()
        if name.startswith(f"{spec.name}.")
    }
    weights, scale = quantize_weights(part["weight"], spec.weight_bits)
    return fold_integers(spec, weights, scale, x, part, eps)


def fold_integers(
    spec: LayerSpec, weights: Any, scale: Any, x: Levels, part: Arrays, eps: float
) -> tuple[Any, Any, Levels]:
    """Fold a layer whose weights are integers already; see `fold_layer`.

    Parameters
    ----------
    weights : int64 array, shape (neurons, inputs)
    scale : float array, shape (neurons,)
        Value of a step of each row.
    part : mapping of str to array
        The layer's parameters, without its name.
    """
    out = activation_levels(spec.activation, spec.bits, float(part["scale"][0]))
    if spec.batch_norm:
        norm = Norm(part["gamma"], part["beta"], part["mean"], part["var"], eps)
        folded = fold_linear(weights, scale, x, out, norm=norm)
    else:
        folded = fold_linear(weights, scale, x, out, bias=part["bias"])
    return *folded, out


def assemble(
    arch: Architecture,
    arrays: Arrays,
    info: Mapping[str, Any],
    where: str = "",
    quantities: Sequence[Quantity] = (),
) -> QuantNet:
    """Return the verified QuantNet of a checkpoint.

    Parameters
    ----------
    arch : Architecture
    arrays : mapping of str to float array
        Exactly those that `expected_arrays` names.
    info : mapping
        Travels along as ``QuantNet.info``.
    where : str
        File concerned, for messages.
    quantities : sequence of Quantity
        What the codes of the last layer stand for, where they are not scores of classes.

    Raises
    ------
    CheckpointError
        Arrays are missing, unknown, misshapen, NaN or infinite; all are listed.
    """
    problems = array_problems(arch, arrays)
    if problems:
        raise CheckpointError("parameters cannot be used", where=where, problems=problems)
    # Integer inputs share one scale: a code of fewer bits is centred by the same zero.
    layers: list[Layer] = []
    levels = input_levels(max(arch.input_bits))
    source = INPUT
    for spec in arch.layers:
        try:
            weights, thresholds, levels = fold_layer(spec, levels, arrays, arch.norm_eps)
        except IRError as error:
            why = f"{spec.name}: {error.why}"
            raise CheckpointError("a layer does not fold", where=where, why=why) from error
        layers.append(
            Linear(
                name=spec.name,
                sources=(source,),
                weights=frozen(weights, np.int64),
                bias=frozen(np.zeros(spec.width), np.int64),
                thresholds=frozen(thresholds, np.int64),
                formats=(IntFormat(spec.bits),) * spec.width,
                role=spec.role,
            )
        )
        source = spec.name
    formats = layers[-1].formats
    if quantities:
        said = quantities_said(source, formats, quantities)
    else:
        said = classes_said(source, formats, arch.classes)
    net = QuantNet(
        name=arch.name,
        inputs=tuple(
            Port(name, IntFormat(bits))
            for name, bits in zip(arch.features, arch.input_bits, strict=True)
        ),
        layers=(*layers, *said.layers),
        output_wires=said.outputs,
        quantizer=InputQuantizer(
            tuple(frozen(arrays[f"input.{i}"], np.float32) for i in range(len(arch.features)))
        ),
        info={**said.info, **info},
    )
    try:
        net.verify()
    except IRError as error:
        raise CheckpointError(
            "parameters cannot be used", where=where, problems=error.problems
        ) from error
    return net
