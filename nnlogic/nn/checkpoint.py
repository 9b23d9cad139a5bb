"""Networks to and from native checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.errors import CheckpointError, Problem, UsageError
from nnlogic.frontend.native import read_native, write_native, write_quantized
from nnlogic.model.assemble import assemble
from nnlogic.nn.network import Network
from nnlogic.nn.stack import Stack


def save_checkpoint(
    network: Stack,
    path: Path | str,
    *,
    info: Mapping[str, Any] | None = None,
    golden_rows: NDArray | None = None,
) -> None:
    """Write a network as a native checkpoint, complete with its input encoder.

    Parameters
    ----------
    network : Stack
        A `Network` of classes is written as its float parameters, any other one as the QuantNet
        it is.
    path : Path
    info : mapping, optional
        JSON data: data set and digest, training, accuracies.
    golden_rows : array, shape (rows, features), optional
        Raw rows stored with the outputs torch gives for them, to check the compiler against
        where torch is not installed.

    Raises
    ------
    CheckpointError
        A parameter is NaN or infinite, or the input thresholds were never fitted.
    UsageError
        It is a module of another kind.
    """
    if not isinstance(network, Stack):
        kind = f"{type(network).__module__}.{type(network).__qualname__}"
        raise UsageError(
            "no network of nnlogic.nn", where=str(path), why=f"a {kind}",
            fix="net = nnlogic.from_torch(module, example_inputs); then net.save(path), or "
            "nnlogic.compile(net, out)",
        )  # fmt: skip
    golden = None
    if not isinstance(network, Network) or network.quantities:
        _refuse_unfit(network, str(path))
        net = network.quantnet(info)
        if golden_rows is not None:
            golden = golden_rows, network.evaluate(golden_rows)
        write_quantized(Path(path), net, golden=golden)
        return
    arrays = network.arrays()
    assemble(network.arch, arrays, {}, str(path))
    if golden_rows is not None:
        golden = golden_rows, network.evaluate(golden_rows)
    write_native(Path(path), network.arch, arrays, info=info or {}, golden=golden)


def _refuse_unfit(stack: Stack, where: str) -> None:
    problems = [
        Problem(name, f"{bad} of {tensor.numel()} values are NaN or infinite")
        for name, tensor in stack.layers.state_dict().items()
        if (bad := int((~tensor.isfinite()).sum()))
    ]
    problems += [
        Problem(feature, "its input thresholds were never fitted")
        for feature, t in zip(stack.features, stack.quantizer.get_thresholds(), strict=True)
        if not np.isfinite(t).all()
    ]
    if problems:
        raise CheckpointError("parameters cannot be used", where=where, problems=problems)


def load_network(path: Path | str) -> Network:
    """Read a native checkpoint into a torch network in eval mode.

    Raises
    ------
    CheckpointError
        The file is damaged or incomplete.
    """
    arch, arrays, _, _ = read_native(Path(path))
    assemble(arch, arrays, {}, str(path))
    bits = [sum(arch.in_bits(i)) for i in range(len(arch.layers))]
    network = Network(arch, fan_in_limit=max(bits))
    network.load_arrays(arrays)
    return network.eval()
