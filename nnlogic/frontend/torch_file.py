"""Reading torch files: by which limits, and without running code unless a caller allows it."""

from __future__ import annotations

import pickle
import struct
import warnings
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.errors import CheckpointError, Problem, ToolNotFound
from nnlogic.core.limits import UNPACKED, WEIGHTS
from nnlogic.frontend.look import pickled_names
from nnlogic.frontend.records import NUMBERS

if TYPE_CHECKING:
    from torch import Tensor

USE_NATIVE = "save it with nnlogic.nn.save_checkpoint(network, 'model.safetensors')"
OURS = "nnlogic.nn."
LONGEST = 200
"""Characters of a tensor's name that are shown."""
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


def read_data(path: Path, allow_pickle: bool = False) -> Any:
    """Return what a torch file holds: tensors and plain data, or whatever its code makes of it.

    Parameters
    ----------
    path : Path
    allow_pickle : bool
        Let it run code.

    Raises
    ------
    CheckpointError
        Damaged, too large, or it would run code that was not allowed.
    ToolNotFound
        torch is not installed.
    """
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
    # A version is a text with an order; files often carry that of torch, and measures as numbers of
    # NumPy, which stand-ins of ours read.
    beside: list[Any] = [
        torch.torch_version.TorchVersion,
        *((value, name) for name, value in NUMBERS.items()),
    ]
    try:
        # torch warns about pickles of other protocols; the refusals below say more.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            with torch.serialization.safe_globals(beside):
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


def read_arrays(path: Path) -> Any:
    """Return what a torch file holds, its tensors as arrays of NumPy; no code is run.

    Mappings and lists are plain ones, and one that stands in several places stays one. Parameters
    are arrays like any others; floats are float32, as ``load_state_dict`` of a model makes them.

    Raises
    ------
    CheckpointError
        As for `read_data`; or tensors are sparse, quantized or otherwise no arrays, or one claims
        more values than a layer may have weights, as a view that repeats a value can.
    ToolNotFound
        torch is not installed.
    """
    content = read_data(path)
    from torch import Tensor

    problems: list[Problem] = []
    made: dict[int, dict[Any, Any] | list[Any]] = {}
    waiting: list[tuple[str, Any]] = []

    def plain(name: str, value: Any) -> Any:
        if isinstance(value, Tensor):
            return _array(name, value, problems)
        if not isinstance(value, Mapping | list | tuple):
            return value
        if id(value) not in made:
            made[id(value)] = {} if isinstance(value, Mapping) else []
            waiting.append((name, value))
        return made[id(value)]

    found = plain("", content)
    while waiting:
        name, value = waiting.pop()
        out = made[id(value)]
        for key, part in value.items() if isinstance(value, Mapping) else enumerate(value):
            inner = plain(f"{name}.{key}"[:LONGEST].removeprefix("."), part)
            if isinstance(out, dict):
                out[key] = inner
            else:
                out.append(inner)
    if problems:
        raise CheckpointError(
            "tensors that cannot be read as numbers", where=str(path), problems=problems
        )
    return found


def as_array(value: Any) -> NDArray[Any]:
    """Return what a tensor of a file, or a number, is as an array.

    Parameters
    ----------
    value
        From `read_arrays`.

    Returns
    -------
    array
        A float is float32, as tensors are, and infinite beyond it. For anything else an empty array
        of objects, so that its kind and shape tell.
    """
    if type(value) is float:
        with np.errstate(over="ignore"):
            return np.asarray(value).astype(np.float32)
    if isinstance(value, np.ndarray) or type(value) in (bool, int):
        return np.asarray(value)
    return np.zeros(0, object)


def _array(name: str, tensor: Tensor, problems: list[Problem]) -> NDArray[Any]:
    if too_many := WEIGHTS.problems(name or "tensor", tensor.numel()):
        problems += too_many
        return np.zeros(0)
    try:
        tensor = tensor.detach().resolve_conj().resolve_neg()
        return (tensor.float() if tensor.is_floating_point() else tensor).numpy()
    except (TypeError, RuntimeError, NotImplementedError):
        why = f"a {str(tensor.layout).removeprefix('torch.')} tensor of {tensor.dtype}"
        fix = "save it as a plain one: tensor.detach().cpu().to_dense().float()"
        problems.append(Problem(name or "tensor", why.replace("torch.", ""), fix))
        return np.zeros(0)


def _other_program(path: Path, calls: list[str]) -> CheckpointError:
    common = ("torch", "collections", "numpy", "_codecs", "builtins", "__builtin__")
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
