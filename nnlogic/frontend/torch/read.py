"""Torch files: what they hold, and exactly why they cannot be compiled as they are.

A torch file carries weights, but neither architecture nor input encoder, so none can be compiled
by itself. Reading runs no code unless the caller allows it by name.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from nnlogic.core.errors import CheckpointError, Problem, UnsupportedModel
from nnlogic.frontend.torch_file import LONGEST, OURS, USE_NATIVE, read_data
from nnlogic.quant.ir import QuantNet

if TYPE_CHECKING:
    from torch import Tensor, nn

CONTAINERS = ("Sequential", "ModuleList", "ModuleDict")
REWRITES = {
    "Linear": "nnlogic.nn.SparseLinear(inputs, outputs, fan_in=4, weight_bits=8)",
    "ReLU": "nnlogic.nn.PACT(bits=2)",
    "ReLU6": "nnlogic.nn.PACT(bits=2)",
    "GELU": "nnlogic.nn.PACT(bits=2)",
    "SiLU": "nnlogic.nn.PACT(bits=2)",
    "LeakyReLU": "nnlogic.nn.SignedUniform(bits=2)",
    "Tanh": "nnlogic.nn.SignedUniform(bits=2)",
    "Hardtanh": "nnlogic.nn.SignedUniform(bits=2)",
    "Sigmoid": "nnlogic.nn.PACT(bits=2)",
    "Softmax": "nothing: the class is the argmax of the scores",
    "LogSoftmax": "nothing: the class is the argmax of the scores",
    "Dropout": "nothing: it does nothing after training",
}


def load_torch(path: Path, *, allow_pickle: bool = False) -> QuantNet:
    """Read a torch file and return its network.

    Raises
    ------
    CheckpointError
        Damaged; or would run code; or a state_dict, which lacks architecture and input encoder;
        or NaN or infinite weights, all tensors listed.
    UnsupportedModel
        A module with layers that are not logic, all listed, each with what to use instead.
    ToolNotFound
        torch is not installed.
    """
    content = read_data(path, allow_pickle)
    import torch
    from torch import nn

    if isinstance(content, nn.Module):
        _require_finite(path, _parameters(content))
        return _module(path, content)
    tensors = _tensors(content)
    if not tensors:
        kind = type(content).__name__
        raise CheckpointError(
            "the torch file holds no network",
            where=str(path),
            why=f"it holds a {kind} without tensors",
            fix=USE_NATIVE,
        )
    _require_finite(path, tensors)
    layers = sorted({name.rpartition(".")[0] or name for name in tensors})
    count = sum(t.numel() for t in tensors.values() if isinstance(t, torch.Tensor))
    raise CheckpointError(
        "a state_dict without its input encoder",
        where=str(path),
        why=f"{len(tensors)} tensors, {count} values ({', '.join(layers[:8])}"
        f"{', ...' if len(layers) > 8 else ''}), but not how raw features become input codes,\n"
        "nor how layers connect, nor the activation levels: these cannot be guessed from weights",
        fix=f"load it into its nnlogic.nn.Network, then {USE_NATIVE}; of another program, "
        "build its layers from nnlogic.nn first, or give the Verilog of tables that it writes",
    )


def read_module(path: Path) -> Any:
    """Return the nnlogic.nn module in a file that `load_torch` has read, by running its code."""
    return read_data(path, allow_pickle=True)


def _tensors(content: Any) -> dict[str, Tensor]:
    """Return the tensors in nested mappings by dotted name; a mapping used twice counts once."""
    import torch

    out: dict[str, Tensor] = {}
    seen: set[int] = set()
    left: list[tuple[str, Any]] = [("", content)]
    while left:
        name, value = left.pop()
        if isinstance(value, torch.Tensor):
            out[name or "tensor"] = value
        elif isinstance(value, Mapping) and id(value) not in seen:
            seen.add(id(value))
            prefix = f"{name}." if name else ""
            left += [
                (f"{prefix}{key}"[:LONGEST], part) for key, part in reversed(list(value.items()))
            ]
    return out


def _parameters(module: nn.Module) -> dict[str, Tensor]:
    import torch

    out = dict(module.state_dict())
    if type(module).__module__.startswith(OURS) and "quantizer.thresholds" in out:
        # Features of fewer bits are padded with infinity there.
        del out["quantizer.thresholds"]
        for i, thresholds in enumerate(cast(Any, module).quantizer.get_thresholds()):
            out[f"input.{i}"] = torch.from_numpy(thresholds)
    return out


def _require_finite(path: Path, tensors: Mapping[str, Tensor]) -> None:
    import torch

    problems = []
    for name, tensor in tensors.items():
        if tensor.layout != torch.strided or tensor.is_meta:
            continue
        total = math.prod(tensor.shape)
        # A view may repeat few values many times over: each is looked at once.
        once = tensor[tuple(slice(0, None if step else 1) for step in tensor.stride())]
        if once.numel() * once.element_size() > tensor.untyped_storage().nbytes():
            continue
        # Floats of eight bits have no `isfinite`.
        bad = int((~torch.isfinite(once.float())).sum()) if tensor.is_floating_point() else 0
        if bad:
            problems.append(Problem(name, f"{bad} of {total} values are NaN or infinite"))
    if problems:
        raise CheckpointError(
            "weights are NaN or infinite",
            where=str(path),
            problems=problems,
        )


def _module(path: Path, module: nn.Module) -> QuantNet:
    # By name: this stage comes before nnlogic.nn, and a pickled Network has imported it already.
    quantnet = getattr(module, "quantnet", None)
    if type(module).__module__.startswith(OURS) and callable(quantnet):
        return cast(QuantNet, quantnet())
    problems = []
    for name, layer in module.named_modules():
        kind = type(layer)
        if next(layer.children(), None) is not None or kind.__name__ in CONTAINERS:
            continue
        if kind.__module__.startswith(OURS) or kind.__name__ == "BatchNorm1d":
            continue
        use = REWRITES.get(kind.__name__, "an nnlogic.nn layer, or remove it")
        where = f"{name or 'model'} ({kind.__module__}.{kind.__qualname__})"
        problems.append(Problem(where, "has no integer definition", f"use {use}"))
    problems.append(
        Problem("input", "no input encoder", "build the model as an nnlogic.nn.Network")
    )
    raise UnsupportedModel(
        f"{len(problems) - 1} layers cannot be compiled to logic",
        where=str(path),
        problems=problems,
    )
