"""Torch files: what they hold, and exactly why they cannot be compiled as they are.

A torch file carries weights, but neither architecture nor input encoder, so none can be compiled
by itself. Reading runs no code unless the caller allows it by name.
"""

from __future__ import annotations

import io
import math
import pickle
import pickletools
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from nnlogic.core.errors import CheckpointError, Problem, ToolNotFound, UnsupportedModel
from nnlogic.quant.ir import QuantNet

if TYPE_CHECKING:
    from torch import Tensor, nn

USE_NATIVE = "save it with nnlogic.nn.save_checkpoint(network, 'model.safetensors')"
CONTAINERS = ("Sequential", "ModuleList", "ModuleDict")
OURS = "nnlogic.nn."
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
        fix=f"load it into its nnlogic.nn.Network, then {USE_NATIVE}",
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
    damaged = CheckpointError(
        "cannot read the torch file",
        where=str(path),
        why=f"{path.stat().st_size} bytes, damaged or not written by torch.save",
        fix="copy the file again; a truncated download is the usual cause",
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
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, IndexError) as error:
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
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, pickle.PickleError) as error:
        raise damaged from error


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
    except (OSError, zipfile.BadZipFile, NotImplementedError):
        return []
    found: list[str] = []
    strings: list[str] = []
    try:
        stream = io.BytesIO(raw)
        while stream.tell() < len(raw):
            for opcode, argument, _ in pickletools.genops(stream):
                if opcode.name in ("GLOBAL", "INST"):
                    found.append(str(argument).replace(" ", "."))
                elif opcode.name == "STACK_GLOBAL":
                    found.append(".".join(strings[-2:]))
                elif "UNICODE" in opcode.name or "STRING" in opcode.name:
                    strings.append(str(argument))
    except (ValueError, IndexError, UnicodeDecodeError):
        # Damaged from here on, or bare weights; what was found before would still have run.
        return sorted(set(found))
    return sorted(set(found))


def _tensors(content: Any, prefix: str = "") -> dict[str, Tensor]:
    import torch

    if isinstance(content, torch.Tensor):
        return {prefix or "tensor": content}
    if not isinstance(content, Mapping):
        return {}
    out: dict[str, Tensor] = {}
    for key, value in content.items():
        out |= _tensors(value, f"{prefix}.{key}" if prefix else str(key))
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
        bad = int((~torch.isfinite(tensor)).sum()) if tensor.is_floating_point() else 0
        if bad:
            total = math.prod(tensor.shape)
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
