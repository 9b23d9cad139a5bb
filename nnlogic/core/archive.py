"""Versioned files for checkpoints and IRs: safetensors arrays plus JSON metadata.

Reading such a file cannot run code, and needs no torch. Writing is atomic: a reader sees the
old file or the new one, never half of one.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from nnlogic.core.errors import CheckpointError
from nnlogic.core.limits import parse_json

KEY = "nnlogic"


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file atomically, in the directory it will live in."""
    path = Path(path)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_archive(
    path: Path, kind: str, version: int, meta: Mapping[str, Any], arrays: Mapping[str, NDArray]
) -> None:
    """Write arrays and JSON metadata as one safetensors file.

    Parameters
    ----------
    path : Path
    kind : str
        What the file holds, for instance ``"checkpoint"`` or ``"LogicNet"``.
    version : int
        Version of that kind's layout.
    meta : mapping
        JSON-serializable.
    arrays : mapping of str to array
        Made contiguous before writing.
    """
    header = json.dumps({"kind": kind, "version": version, "meta": meta}, sort_keys=True)
    tensors = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    write_bytes(Path(path), save(tensors, metadata={KEY: header}))


def read_archive(
    path: Path, kind: str, versions: tuple[int, ...]
) -> tuple[int, dict[str, Any], dict[str, NDArray]]:
    """Read what `write_archive` wrote.

    Returns
    -------
    version, meta, arrays

    Raises
    ------
    CheckpointError
        The file is missing, damaged, of another kind, or of an unknown version.
    """
    path = Path(path)
    try:
        with safe_open(path, framework="numpy") as file:
            raw = (file.metadata() or {}).get(KEY)
            if raw is None:
                raise CheckpointError(
                    f"not an nnlogic {kind}",
                    where=str(path),
                    why="a safetensors file without nnlogic metadata: the weights are there, but "
                    "not the architecture, the quantizers or the input encoder",
                    fix="save it with nnlogic.nn.save_checkpoint, which writes all of them",
                )
            header = _header(raw)
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError as error:
        raise CheckpointError("no such file", where=str(path)) from error
    except IsADirectoryError as error:
        raise CheckpointError("a directory, not a file", where=str(path)) from error
    except (SafetensorError, OSError, ValueError) as error:
        size = path.stat().st_size if path.exists() else 0
        raise CheckpointError(
            "cannot read the file",
            where=str(path),
            why=f"{size} bytes, damaged or not a safetensors file: {error}",
            fix="copy the file again; a truncated download is the usual cause",
        ) from error
    if header["kind"] != kind:
        raise CheckpointError(
            f"not an nnlogic {kind}",
            where=str(path),
            why=f"the file holds a {header['kind'][:80]}",
        )
    if header["version"] not in versions:
        raise CheckpointError(
            f"{kind} of an unknown version",
            where=str(path),
            why=f"version {header['version']}, this nnlogic reads {versions}",
            fix="use the nnlogic that wrote it, or a newer one",
        )
    return header["version"], header["meta"], arrays


def _header(text: str) -> dict[str, Any]:
    header = parse_json(text)
    types = {"kind": str, "version": int, "meta": dict}
    if not isinstance(header, dict) or any(
        type(header.get(key)) is not type_ for key, type_ in types.items()
    ):
        raise ValueError(f"its metadata need {', '.join(types)}")
    return header


def archive_kind(path: Path) -> str:
    """Return the kind written in an nnlogic archive, or an empty string for any other file."""
    try:
        with safe_open(path, framework="numpy") as file:
            return str(_header((file.metadata() or {}).get(KEY, ""))["kind"])
    except (SafetensorError, OSError, ValueError):
        return ""


def digest(*parts: object) -> str:
    """Short content hash (hex) of arrays, strings and JSON-serializable values."""
    h = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            h.update(f"{part.dtype}{part.shape}".encode())
            h.update(np.ascontiguousarray(part).tobytes())
        elif isinstance(part, bytes):
            h.update(part)
        else:
            h.update(json.dumps(part, sort_keys=True, default=str).encode())
        h.update(b"\0")
    return h.hexdigest()[:32]


def frozen(array: Any, dtype: Any) -> NDArray:
    """Return a read-only copy, for the arrays inside IRs."""
    out = np.array(array, dtype=dtype, copy=True)
    out.setflags(write=False)
    return out


def exact(array: NDArray, dtype: Any, dims: int | None = None) -> NDArray:
    """Return an array of a file as one of `dtype`, with the same values; read-only.

    Raises
    ------
    ValueError
        It has other dimensions or another kind of values, or values that `dtype` does not hold.
    """
    dtype = np.dtype(dtype)
    if dims is not None and array.ndim != dims:
        raise ValueError(f"shape {array.shape}, need {dims} dimensions")
    if array.dtype.kind not in {"i": "iu", "u": "iu"}.get(dtype.kind, dtype.kind):
        raise ValueError(f"{array.dtype}, need {dtype}")
    if dtype.kind == "f" and array.dtype.itemsize > dtype.itemsize:
        raise ValueError(f"{array.dtype}, need {dtype}")
    if dtype.kind in "iu" and array.size:
        least, most, info = int(array.min()), int(array.max()), np.iinfo(dtype)
        if least < info.min or most > info.max:
            raise ValueError(f"values {least} to {most}, beyond {dtype}")
    return frozen(array, dtype)
