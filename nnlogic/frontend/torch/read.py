"""Torch files: what they hold, and exactly why they cannot be compiled as they are.

A torch file carries weights, but neither architecture nor input encoder, so none can be compiled
by itself. Reading runs no code unless the caller allows it by name.
"""

from __future__ import annotations

import math
import pickle
import struct
import warnings
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from nnlogic.core.errors import CheckpointError, Problem, ToolNotFound, UnsupportedModel
from nnlogic.core.limits import UNPACKED
from nnlogic.frontend.look import pickled_names
from nnlogic.quant.ir import QuantNet

if TYPE_CHECKING:
    from torch import Tensor, nn

USE_NATIVE = "save it with nnlogic.nn.save_checkpoint(network, 'model.safetensors')"
CONTAINERS = ("Sequential", "ModuleList", "ModuleDict")
OURS = "nnlogic.nn."
LONGEST = 200
"""Characters of a tensor's name that are shown."""
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


UNREADABLE = (
    OSError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, ValueError,
    EOFError, KeyError,
)  # fmt: skip
"""What the reader of zip archives raises for damaged ones."""
DAMAGED = (
    RuntimeError, EOFError, OSError, ValueError, KeyError, IndexError, TypeError, AttributeError,
    OverflowError, AssertionError, struct.error,
)  # fmt: skip
"""What torch raises for damaged files."""


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
    content = _read(path, allow_pickle)
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


def read_data(path: Path) -> Any:
    """Return the tensors and plain data in a torch file, without running code.

    Raises
    ------
    CheckpointError
        Damaged, or it holds anything else.
    ToolNotFound
        torch is not installed.
    """
    return _read(path, allow_pickle=False)


def read_module(path: Path) -> Any:
    """Return the nnlogic.nn module in a file that `load_torch` has read, by running its code."""
    return _read(path, allow_pickle=True)


def _read(path: Path, allow_pickle: bool) -> Any:
    try:
        import torch
    except ImportError as error:
        raise ToolNotFound(
            "torch is needed to read a torch file",
            where=str(path),
            why=str(error),
            fix="pip install 'nnlogic[train]', or convert the file to a native checkpoint, "
            "which needs no torch",
        ) from error
    _refuse_large(path)
    damaged = CheckpointError(
        "cannot read the torch file",
        where=str(path),
        why=f"{path.stat().st_size} bytes that torch cannot read: cut short, changed, or in "
        "a format that nnlogic does not know",
        fix="copy the file again, and compare its size",
    )
    try:
        # torch warns about pickles of other protocols; the refusals below say more.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            # A version is a text with an order; files often carry that of torch.
            with torch.serialization.safe_globals([torch.torch_version.TorchVersion]):
                return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        calls = pickle_globals(path)
        if not calls:
            raise damaged from error
        if not allow_pickle and not any(call.startswith(OURS) for call in calls):
            raise _other_program(path, calls) from error
    except (*DAMAGED, MemoryError, RecursionError) as error:
        raise damaged from error
    if not allow_pickle:
        raise CheckpointError(
            "reading this torch file would run code",
            where=str(path),
            why="it is a pickle that asks to call functions, and a pickle can do anything you can: "
            f"read, send or delete your files.\nIt names {', '.join(calls[:8])}"
            f"{f' and {len(calls) - 8} more' if len(calls) > 8 else ''}",
            fix=f"{USE_NATIVE}; or, if you trust everyone who touched the file, read it with "
            "--allow-pickle (allow_pickle=True)",
        )
    try:
        return torch.load(path, map_location="cpu", weights_only=False)
    except (ImportError, AttributeError) as error:
        raise CheckpointError(
            "the torch file needs code that is not here",
            where=str(path),
            why=str(error),
            fix=USE_NATIVE,
        ) from error
    except (*DAMAGED, pickle.PickleError) as error:
        raise damaged from error


def _other_program(path: Path, calls: list[str]) -> CheckpointError:
    common = ("torch", "collections", "numpy", "builtins", "__builtin__")
    own = [call for call in calls if call.split(".")[0] not in common]
    calls = own or [call for call in calls if call.startswith("torch.nn.")] or calls
    return CheckpointError(
        "a torch file of another program, not a checkpoint",
        where=str(path),
        why=f"it names {', '.join(calls[:8])}"
        f"{f' and {len(calls) - 8} more' if len(calls) > 8 else ''}: nothing of nnlogic.nn, so "
        "neither levels nor input encoder\nwould be found in it, and it was not opened, since it "
        "could run code",
        fix=f"build it again as an nnlogic.nn.Network, copy the weights, and {USE_NATIVE}; or give "
        "the Verilog of tables that its program writes",
    )


def _refuse_large(path: Path) -> None:
    """Raise CheckpointError for a file that holds more, packed or not, than may be in memory."""
    size = path.stat().st_size
    if zipfile.is_zipfile(path):
        try:
            with zipfile.ZipFile(path) as archive:
                size = sum(member.file_size for member in archive.infolist())
        except UNREADABLE:
            return  # torch says that it is damaged
    problems = UNPACKED.problems("all tensors", size)
    if problems:
        raise CheckpointError("the torch file is too large", where=str(path), problems=problems)


def pickle_globals(path: Path) -> list[str]:
    """Return the ``module.name`` of everything the pickle in a torch file would import.

    Pickles are parsed, not run; a file of the older layout holds several, one after another.
    Empty when they import nothing or there is none.
    """
    try:
        raw = path.read_bytes()
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                inner = [n for n in archive.namelist() if n.endswith("data.pkl")]
                raw = archive.read(inner[0]) if inner else b""
    except UNREADABLE:
        return []
    return list(pickled_names(raw))


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
        if tensor.layout != torch.strided:
            continue
        total = math.prod(tensor.shape)
        # A view may repeat few values many times over: each is looked at once.
        once = tensor[tuple(slice(0, None if step else 1) for step in tensor.stride())]
        if once.numel() * once.element_size() > tensor.untyped_storage().nbytes():
            continue
        bad = int((~torch.isfinite(once)).sum()) if tensor.is_floating_point() else 0
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
