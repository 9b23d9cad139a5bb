"""Choose the frontend by what a file holds, not by its name."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import BinaryIO

from nnlogic.core.archive import KEY
from nnlogic.core.errors import CheckpointError
from nnlogic.frontend.native import load_native, load_quantized
from nnlogic.frontend.trees_read import load_xgboost
from nnlogic.frontend.verilog_tables import is_verilog, load_verilog
from nnlogic.quant.ir import QuantNet

LONGEST_HEADER = 100_000_000


def load(path: Path | str, *, allow_pickle: bool = False) -> QuantNet:
    """Read a trained network from a file.

    Parameters
    ----------
    path : Path
        A native checkpoint, a saved QuantNet, a torch file, an xgboost model in JSON, or the top
        file of LogicNets-family Verilog.
    allow_pickle : bool
        Let a torch file run code while it is read, which it can do to the full extent of your
        rights. Only for files whose every author you trust.

    Returns
    -------
    QuantNet
        Verified.

    Raises
    ------
    CheckpointError
        The file is missing, damaged, of an unknown kind, incomplete, or would run code.
    UnsupportedModel
        It holds layers that cannot be compiled; all of them are listed.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            start = file.read(16)
            size = path.stat().st_size
            kind = _safetensors_kind(file, size)
    except FileNotFoundError as error:
        raise CheckpointError("no such file", where=str(path)) from error
    except IsADirectoryError as error:
        raise CheckpointError(
            "a directory, not a checkpoint",
            where=str(path),
            fix="name the checkpoint file inside it",
        ) from error
    except OSError as error:
        raise CheckpointError("cannot read the file", where=str(path), why=str(error)) from error
    if kind == QuantNet.kind:
        return load_quantized(path)
    if kind is not None or path.suffix == ".safetensors":
        return load_native(path)
    if zipfile.is_zipfile(path) or start[:1] == b"\x80" or path.suffix in (".pt", ".pth"):
        from nnlogic.frontend.torch_state import load_torch

        return load_torch(path, allow_pickle=allow_pickle)
    if start[:1] == b"{":
        return load_xgboost(path)
    if is_verilog(path):
        return load_verilog(path)
    raise CheckpointError(
        "not a checkpoint",
        where=str(path),
        why=f"{size} bytes that begin with {start[:8]!r}; neither safetensors, a torch file, "
        "a model in JSON nor Verilog",
        fix="give the .safetensors file that nnlogic.nn.save_checkpoint or nnlogic train wrote, "
        "or the top .v file of LogicNets-family Verilog",
    )


def _safetensors_kind(file: BinaryIO, size: int) -> str | None:
    # None: not safetensors; "": safetensors that nnlogic did not write. Layout: the length of a
    # JSON header as a little-endian u64, then the header.
    file.seek(0)
    length = int.from_bytes(file.read(8), "little")
    if not 2 <= length <= min(size - 8, LONGEST_HEADER):
        return None
    try:
        header = json.loads(file.read(length))
        return str(json.loads(header.get("__metadata__", {}).get(KEY, "{}")).get("kind", ""))
    except (ValueError, AttributeError):
        return None
