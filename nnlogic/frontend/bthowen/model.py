"""What a pickle of BTHOWeN holds, checked."""

from __future__ import annotations

import lzma
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.errors import CheckpointError, Problem
from nnlogic.core.formats import IntArray
from nnlogic.core.limits import CLASSES as MOST_CLASSES
from nnlogic.core.limits import FEATURES, NEURONS, UNPACKED
from nnlogic.frontend.bthowen.format import CLASSES
from nnlogic.frontend.look import XZ_MEMORY
from nnlogic.frontend.records import Record, read_records

XZ = b"\xfd7zXZ\0"
MOST_ENTRIES = 1 << 16
"""Of a filter."""
MOST_HASHES = 64
SHOWN = 8


@dataclass(frozen=True)
class Wisard:
    """A network of Bloom filters.

    Attributes
    ----------
    features, levels : int
        Inputs, and thresholds of each.
    order : int64 array, shape (filters * reads,)
        Bits in the order the filters read them; a bit is ``level * features + feature``, and those
        from ``features * levels`` on are 0.
    masks : int64 array, shape (classes, filters, hashes, reads)
        A hash is the XOR of those of the inputs that are 1.
    seen : bool array, shape (classes, filters, entries)
    """

    features: int
    levels: int
    order: IntArray
    masks: IntArray
    seen: NDArray[np.bool_]


def read_wisard(path: Path, bleach: int | None) -> Wisard:
    """Read a network.

    Parameters
    ----------
    path : Path
        Of a pickle, packed with xz or as it is.
    bleach : int, optional
        Counts from which an input has been seen; default: those of the filters.

    Raises
    ------
    CheckpointError
        All problems of the file are listed.
    """
    found = read_records(_unpacked(path), CLASSES, path)
    info, model = (found.get(k) if isinstance(found, dict) else None for k in ("info", "model"))
    if not isinstance(info, Mapping) or not isinstance(model, Record):
        raise CheckpointError(
            "an incomplete BTHOWeN model", where=str(path), why="no info, or no model",
            fix="save both as its train_swept_models.py does",
        )  # fmt: skip
    problems: list[Problem] = []
    order = _order(model, problems)
    features, levels = (_count(info, k, problems) for k in ("num_inputs", "bits_per_input"))
    pad = model.get("pad_zeros", 0)
    if type(pad) is not int or features * levels + pad != len(order):
        why = f"{len(order)} wires for {features} x {levels} bits and {str(pad)[:20]} zeros"
        problems.append(Problem("input_order", why))
    problems += FEATURES.problems("num_inputs", features)
    masks, seen = _filters(model, bleach, len(order), problems)
    if problems:
        raise CheckpointError(
            "a BTHOWeN model that cannot be used", where=str(path), problems=problems
        )
    return Wisard(features, levels, order, masks, seen)


def _unpacked(path: Path) -> bytes:
    limit = UNPACKED.value
    try:
        with path.open("rb") as file:
            if file.read(len(XZ)) != XZ:
                file.seek(0)
                data = file.read(limit + 1)
            else:
                file.seek(0)
                reader = lzma.LZMADecompressor(memlimit=XZ_MEMORY)
                data = reader.decompress(file.read(limit + 1), limit + 1)
                if len(data) <= limit and not reader.eof:
                    raise EOFError("the end is missing")
    except (lzma.LZMAError, EOFError, OSError, MemoryError) as error:
        raise CheckpointError(
            "cannot unpack the file", where=str(path), why=str(error),
            fix="copy the file again, and compare its size",
        ) from error  # fmt: skip
    if problems := UNPACKED.problems("the pickle", len(data)):
        raise CheckpointError("the pickle is too large", where=str(path), problems=problems)
    return data


def _order(model: Record, problems: list[Problem]) -> IntArray:
    order = _integers(model.get("input_order"), 1)
    if order is None or not np.array_equal(np.sort(order), np.arange(len(order))):
        problems.append(Problem("input_order", "is no order of all wires"))
        return np.zeros(0, np.int64)
    return order


def _count(info: Mapping[str, Any], name: str, problems: list[Problem]) -> int:
    value = info.get(name)
    if type(value) is int and 1 <= value <= NEURONS.value:
        return value
    problems.append(Problem(f"info.{name}", f"{str(value)[:40]}, need 1 to {NEURONS.value:,}"))
    return 1


def _integers(value: Any, dims: int) -> IntArray | None:
    """Return an int64 array of some dimensions, None for anything else."""
    if not isinstance(value, np.ndarray) or value.ndim != dims or value.dtype.kind not in "biu":
        return None
    return value.astype(np.int64)


def _filters(
    model: Record, bleach: int | None, wires: int, problems: list[Problem]
) -> tuple[IntArray, NDArray[np.bool_]]:
    nothing = np.zeros((1, 1, 1, 1), np.int64), np.zeros((1, 1, 2), np.bool_)
    classes = _parts(model, "discriminators")
    every = [_parts(one, "filters") for one in classes]
    if len(classes) < 2 or len({len(one) for one in every}) != 1 or not every[0]:
        why = f"{len(classes)} of {sorted({len(one) for one in every})[:SHOWN]} filters"
        problems.append(Problem("discriminators", why))
        return nothing
    problems += MOST_CLASSES.problems("discriminators", len(classes))
    problems += NEURONS.problems("filters", len(classes) * len(every[0]))
    first = len(problems)
    masks, seen = [], []
    for c, one in enumerate(every):
        for j, part in enumerate(one):
            got = _filter(part, bleach, len(one), wires)
            if isinstance(got, str):
                problems.append(Problem(f"discriminator {c}, filter {j}", got))
            else:
                masks.append(got[0])
                seen.append(got[1])
    shapes = {(m.shape, s.shape) for m, s in zip(masks, seen, strict=True)}
    if len(problems) == first and len(shapes) != 1:
        problems.append(Problem("filters", "are of several shapes"))
    if len(problems) > first:
        del problems[first + SHOWN :]
        return nothing
    shape = len(classes), len(every[0])
    return (
        np.stack(masks).reshape(*shape, *masks[0].shape),
        np.stack(seen).reshape(*shape, *seen[0].shape),
    )


def _parts(record: Record, name: str) -> list[Record]:
    found = record.get(name)
    good = isinstance(found, list) and all(isinstance(one, Record) for one in found)
    return found if good else []


def _filter(
    part: Record, bleach: int | None, filters: int, wires: int
) -> tuple[IntArray, NDArray[np.bool_]] | str:
    """Return masks, shape (hashes, reads), and what was seen; or what is wrong."""
    masks, data = _integers(part.get("hash_values"), 2), _integers(part.get("data"), 1)
    least = _integers(part.get("bleach"), 0)
    if masks is None or data is None or least is None:
        return "has no hash_values, data and bleach that are arrays of whole numbers"
    entries = len(data)
    if not 2 <= entries <= MOST_ENTRIES or entries & (entries - 1):
        return f"{entries} entries, need a power of two up to {MOST_ENTRIES:,}"
    if masks.shape[1] * filters != wires or not 1 <= len(masks) <= MOST_HASHES:
        return f"hash_values of shape {masks.shape} for {wires} wires of {filters} filters"
    if masks.min() < 0 or masks.max() >= entries:
        return f"hash_values {masks.min()}..{masks.max()} of {entries} entries"
    return masks, data >= (int(least) if bleach is None else bleach)
