"""The native checkpoint: one safetensors file, read without torch and without running code.

Linear networks are kept as their float parameters, which fold into integers when read. Networks
of other families are kept as the QuantNet they are: their tables are their definition.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.archive import archive_kind, digest, read_archive, write_archive
from nnlogic.core.errors import CheckpointError, Problem
from nnlogic.core.formats import IntArray
from nnlogic.core.values import shown
from nnlogic.model.architecture import Architecture
from nnlogic.model.assemble import assemble
from nnlogic.quant.info import info_problems
from nnlogic.quant.ir import QuantNet

KIND, VERSION = "checkpoint", 1
GOLDEN_X, GOLDEN_Y = "golden.x", "golden.y"


def write_native(
    path: Path,
    arch: Architecture,
    arrays: Mapping[str, NDArray],
    *,
    info: Mapping[str, Any],
    golden: tuple[NDArray, IntArray] | None = None,
) -> None:
    """Write a native checkpoint.

    Parameters
    ----------
    path : Path
    arch : Architecture
    arrays : mapping of str to float array
        Parameters, as `nnlogic.model.assemble.expected_arrays` names them.
    info : mapping
        JSON data: class names, data set and its digest, training, accuracies.
    golden : (rows, outputs), optional
        Raw feature rows, and the int64 outputs the trained model itself gave for them.
    """
    meta = {"architecture": arch.to_meta(), "info": dict(info)}
    write_archive(Path(path), KIND, VERSION, meta, {**arrays, **_golden_arrays(golden)})


def _golden_arrays(golden: tuple[NDArray, IntArray] | None) -> dict[str, NDArray]:
    if golden is None:
        return {}
    rows = np.asarray(golden[0], dtype=np.float32)
    with np.errstate(invalid="ignore"):
        small = rows.astype(np.uint8)
    # Pixels and bits are integers: a byte each keeps checkpoints of wide inputs small.
    exact = bool((small == rows).all())
    return {GOLDEN_X: small if exact else rows, GOLDEN_Y: np.asarray(golden[1], dtype=np.int64)}


def write_quantized(
    path: Path, net: QuantNet, *, golden: tuple[NDArray, IntArray] | None = None
) -> None:
    """Write a checkpoint that is a QuantNet, with golden rows; a plain save of it has none.

    Parameters
    ----------
    path : Path
    net : QuantNet
        With its input quantizer, and in ``info`` what training recorded.
    golden : (rows, outputs), optional
        Raw feature rows, and the int64 outputs the trained model itself gave for them.
    """
    meta, arrays = net.parts()
    described = {key: value for key, value in meta.items() if key != "info"}
    names = sorted(arrays)
    meta["info"]["digest"] = digest(described, names, *(arrays[name] for name in names))
    write_archive(
        Path(path), QuantNet.kind, QuantNet.version, meta, {**arrays, **_golden_arrays(golden)}
    )


def load_quantized(path: Path) -> QuantNet:
    """Return a saved QuantNet, verified; ``info["golden_rows"]`` tells of those in the file."""
    net = QuantNet.load(path)
    arrays = read_archive(Path(path), QuantNet.kind, (QuantNet.version,))[2]
    golden = _golden(arrays, Path(path), len(net.inputs), len(net.outputs))
    info = {key: value for key, value in net.info.items() if key != "golden_rows"}
    if golden is not None:
        info["golden_rows"] = len(golden[0])
    return dataclasses.replace(net, info=info)


def read_native(
    path: Path,
) -> tuple[Architecture, dict[str, NDArray], dict[str, Any], tuple[NDArray, IntArray] | None]:
    """Read what `write_native` wrote: architecture, parameters, info and golden rows.

    Raises
    ------
    CheckpointError
        The file is damaged, or says something this version does not understand.
    """
    path = Path(path)
    _, meta, arrays = read_archive(path, KIND, (VERSION,))
    known = ("architecture", "info")
    problems = [Problem(key, "unknown attribute") for key in sorted(set(meta) - set(known))]
    problems += [
        Problem(key, f"{shown(meta[key])}, need a table" if key in meta else "missing")
        for key in known
        if not isinstance(meta.get(key), dict)
    ]
    if problems:
        raise CheckpointError("checkpoint not understood", where=str(path), problems=problems)
    arch = Architecture.from_meta(meta["architecture"], str(path))
    problems = info_problems(meta["info"])
    if problems:
        raise CheckpointError("checkpoint not understood", where=str(path), problems=problems)
    golden = _golden(arrays, path, len(arch.features))
    return arch, arrays, meta["info"], golden


def _golden(
    arrays: dict[str, NDArray], path: Path, features: int, outputs: int | None = None
) -> tuple[NDArray, IntArray] | None:
    x, y = arrays.pop(GOLDEN_X, None), arrays.pop(GOLDEN_Y, None)
    if x is None and y is None:
        return None
    problems = []
    if x is None or y is None:
        problems.append(Problem("golden", "rows without outputs, or outputs without rows"))
    elif x.ndim != 2 or y.ndim != 2 or len(x) != len(y) or x.shape[1] != features:
        why = f"rows {x.shape} and outputs {y.shape} for {features} features"
        problems.append(Problem("golden", why))
    elif y.dtype.kind not in "iu" or x.dtype not in (np.float32, np.uint8):
        problems.append(Problem("golden", f"rows of {x.dtype}, outputs of {y.dtype}"))
    elif not np.isfinite(x).all():
        problems.append(Problem(GOLDEN_X, "rows are NaN or infinite"))
    elif y.size and int(y.max()) > np.iinfo(np.int64).max:
        problems.append(Problem(GOLDEN_Y, f"an output is {int(y.max())}"))
    elif outputs is not None and y.shape[1] != outputs:
        problems.append(Problem(GOLDEN_Y, f"{y.shape[1]} columns for {outputs} outputs"))
    if problems or x is None or y is None:
        what = "recorded outputs cannot be used"
        raise CheckpointError(what, where=str(path), problems=problems)
    return x.astype(np.float32), y.astype(np.int64)


def load_native(path: Path) -> QuantNet:
    """Return the network of a native checkpoint, verified.

    ``info`` of the result holds what training recorded, and ``class_names``, ``digest`` (of the
    architecture and parameters) and ``golden_rows`` (0 when the file has none).

    Raises
    ------
    CheckpointError
        The file is damaged, incomplete, or holds NaN or infinite parameters.
    """
    arch, arrays, info, golden = read_native(path)
    names = sorted(arrays)
    info = {
        **info,
        "class_names": list(arch.classes),
        "digest": digest(arch.to_meta(), names, *(arrays[name] for name in names)),
        "golden_rows": 0 if golden is None else len(golden[0]),
    }
    net = assemble(arch, arrays, info, str(path))
    if golden is not None and golden[1].shape[1] != len(net.outputs):
        why = f"{golden[1].shape[1]} columns for {len(net.outputs)} outputs"
        problem = Problem(GOLDEN_Y, why)
        what = "recorded outputs cannot be used"
        raise CheckpointError(what, where=str(path), problems=[problem])
    return net


def read_golden(path: Path) -> tuple[NDArray[np.float32], IntArray] | None:
    """Return rows and the outputs the trained model gave for them, or None when there are none.

    Returns
    -------
    rows : float32 array, shape (rows, features)
    outputs : int64 array, shape (rows, outputs)
        In the order of the network's output ports.
    """
    if archive_kind(Path(path)) != QuantNet.kind:
        return read_native(path)[3]
    net = QuantNet.load(path)
    arrays = read_archive(Path(path), QuantNet.kind, (QuantNet.version,))[2]
    return _golden(arrays, Path(path), len(net.inputs), len(net.outputs))
