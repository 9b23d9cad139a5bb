"""HardwareDesign to and from a file, with the LogicNet it places."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.archive import frozen, read_archive, write_archive
from nnlogic.core.errors import CheckpointError
from nnlogic.design.ir import HardwareDesign
from nnlogic.logic.store import logic_from_parts, logic_to_parts

VERSION = 1
PREFIX = "logic."


def save_design(design: HardwareDesign, path: Path) -> None:
    """Write a HardwareDesign."""
    meta, arrays = design_to_parts(design)
    write_archive(path, HardwareDesign.kind, VERSION, meta, arrays)


def load_design(path: Path) -> HardwareDesign:
    """Read a HardwareDesign and verify it.

    Raises
    ------
    CheckpointError
        Not such a file, or damaged.
    IRError
        The file breaks the rules of the IR.
    """
    _, meta, arrays = read_archive(path, HardwareDesign.kind, (VERSION,))
    try:
        design = design_from_parts(meta, arrays)
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            "HardwareDesign file is incomplete", where=str(path), why=repr(error)
        ) from error
    design.verify()
    return design


def design_to_parts(design: HardwareDesign) -> tuple[dict[str, Any], dict[str, NDArray]]:
    """Return JSON metadata and arrays that describe `design`."""
    logic_meta, logic_arrays = logic_to_parts(design.logic)
    meta = {
        "name": design.name,
        "n_segments": design.n_segments,
        "input_register": design.input_register,
        "stream": design.stream,
        "logic": logic_meta,
    }
    arrays = {f"{PREFIX}{name}": array for name, array in logic_arrays.items()}
    return meta, {**arrays, "segments": design.segments}


def design_from_parts(meta: dict[str, Any], arrays: dict[str, NDArray]) -> HardwareDesign:
    """Inverse of `design_to_parts`."""
    own = {k.removeprefix(PREFIX): a for k, a in arrays.items() if k.startswith(PREFIX)}
    return HardwareDesign(
        name=meta["name"],
        logic=logic_from_parts(meta["logic"], own),
        segments=frozen(arrays["segments"], np.int32),
        n_segments=meta["n_segments"],
        input_register=meta["input_register"],
        stream=meta["stream"],
    )
