"""Networks of Bloom filters as QuantNets.

Susskind et al., "Weightless neural networks for efficient edge inference", PACT 2022. Every class
has filters, and a filter has seen its inputs when the entries at all of their hashes are set; the
class with most filters that have is chosen, the first of several. A hash is linear: the XOR of a
number per input that is 1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.archive import frozen
from nnlogic.core.errors import Problem, UnsupportedModel, UsageError
from nnlogic.core.formats import IntArray, IntFormat, Port
from nnlogic.core.limits import ENTRIES
from nnlogic.frontend.bthowen.model import Wisard, read_wisard
from nnlogic.frontend.bthowen.training import read_training
from nnlogic.frontend.thermometer import BIT, thermometer
from nnlogic.frontend.votes import by_votes
from nnlogic.quant.ir import INPUT, Enumerated, Layer, QuantNet

DIRECT = 13
"""Most bits of a filter that is a table of its inputs; wider ones keep their hashes."""
PARITY = 6
"""Inputs of one XOR: a LUT."""
MOST_READS = 72
"""Bits of a filter."""


def load_bthowen(path: Path, options: Mapping[str, str]) -> QuantNet:
    """Read a network.

    Parameters
    ----------
    path : Path
    options : mapping of str to str
        See `nnlogic.frontend.bthowen.format.Bthowen.options`.

    Returns
    -------
    QuantNet
        Inputs are codes that count the thresholds below a feature, or without training rows the
        bits of the thermometers, all features of the lowest threshold first.

    Raises
    ------
    CheckpointError
        All problems of the file are listed.
    UnsupportedModel
        Filters are too wide.
    UsageError
        An option cannot be, or the training rows are none of this network.
    """
    bleach = options.get("bleach")
    if bleach is not None and not (bleach.isdecimal() and 0 < len(bleach) < 10 and int(bleach)):
        raise UsageError("no such bleach", why=f"bleach={bleach}", fix="--read bleach=N, from 1 up")
    wisard = read_wisard(path, None if bleach is None else int(bleach))
    reads = wisard.masks.shape[3]
    entries = wisard.seen.size if reads > DIRECT else math.prod(wisard.masks.shape[:2]) << reads
    problems = ENTRIES.problems("filters", entries)
    if reads > MOST_READS:
        why = f"{reads} bits, at most {MOST_READS} are read"
        problems.append(Problem("filters", why, "train it with narrower filters"))
    if problems:
        raise UnsupportedModel("filters that are too wide", where=str(path), problems=problems)
    return _net(path, wisard, options)


def _net(path: Path, wisard: Wisard, options: Mapping[str, str]) -> QuantNet:
    bits = wisard.features * wisard.levels
    names = [f"x{f}" for f in range(wisard.features)]
    info: dict[str, object] = {"bleach": options.get("bleach", "")}
    quantizer = None
    if "train" in options:
        gaussian = read_training(Path(options["train"]), wisard.features)
        edges = gaussian.edges(wisard.levels)
        encoder = thermometer(edges, np.ones(edges.shape, np.bool_))
        quantizer, formats = encoder.quantizer, encoder.formats
        place = encoder.place.T.reshape(-1)
        ports = tuple(map(Port, names, formats))
        building = _Layers([encoder.layer], encoder.layer.name, bits)
        info |= {"mean": gaussian.mean.tolist(), "std": gaussian.std.tolist()}
    else:
        place = np.arange(bits)
        ports = tuple(Port(f"{name}_{k}", BIT) for k in range(wisard.levels) for name in names)
        building = _Layers([], INPUT, bits)
    count = len(wisard.seen)
    # Bits that only fill up the last filter are 0.
    place = np.concatenate([place, np.full(len(wisard.order) - bits, -1)])
    wires = place[wisard.order].reshape(wisard.masks.shape[1], -1)
    whole = _tables if wisard.masks.shape[3] <= DIRECT else _hashes
    whole(building, wisard, wires)
    deciding, output = by_votes(building.layers[-1], count)
    net = QuantNet(
        name=path.name.partition(".")[0],
        inputs=ports,
        layers=(*building.layers, *deciding),
        output_wires=(output,),
        quantizer=quantizer,
        info={"class_names": [str(c) for c in range(count)], **info},
    )
    net.verify()
    return net


@dataclass
class _Layers:
    """Layers of single bits, one on top of another."""

    layers: list[Layer]
    source: str
    width: int
    tables: dict[bytes, IntArray] = field(default_factory=dict)

    def add(self, name: str, neurons: Sequence[tuple[tuple[int, ...], NDArray[np.bool_]]]) -> None:
        """Put wires and tables on top; tables that are equal are kept once."""
        kept = []
        for _, table in neurons:
            key = np.packbits(table).tobytes() + len(table).to_bytes(4, "little")
            kept.append(self.tables.setdefault(key, frozen(table, np.int64)))
        formats = (BIT,) * len(neurons)
        self.layers.append(
            Enumerated(
                name, (self.source,), tuple(wires for wires, _ in neurons), tuple(kept), formats,
                (IntFormat(1),) * self.width,
            )
        )  # fmt: skip
        self.source, self.width = name, len(neurons)


def _tables(building: _Layers, wisard: Wisard, wires: IntArray) -> None:
    """Add filters as tables of their inputs."""
    neurons = []
    for masks, seen in zip(wisard.masks, wisard.seen, strict=True):
        for reads, mask, data in zip(wires, masks, seen, strict=True):
            real = reads >= 0
            index = np.zeros((len(mask), 1 << int(real.sum())), np.int64)
            rows = np.arange(index.shape[1])
            for i, column in enumerate(mask[:, real].T):
                index ^= np.where(rows >> i & 1, column[:, None], 0)
            neurons.append((tuple(map(int, reads[real])), data[index].all(axis=0)))
    building.add("filters", neurons)


def _hashes(building: _Layers, wisard: Wisard, wires: IntArray) -> None:
    """Add hashes as XORs of XORs, entries as tables of them, and filters that need all hashes."""
    parts: dict[tuple[int, ...], int] = {}
    hashes: dict[tuple[int, ...], int] = {}
    address = wisard.seen.shape[2].bit_length() - 1
    lookups: list[tuple[tuple[int, ...], NDArray[np.bool_]]] = []
    filters: list[list[int]] = []
    for masks, seen in zip(wisard.masks, wisard.seen, strict=True):
        for reads, mask, data in zip(wires, masks, seen, strict=True):
            at: dict[tuple[int, ...], int] = {}
            for row in mask:
                bits = tuple(
                    _parity(reads, row >> b & 1 > 0, parts, hashes) for b in range(address)
                )
                if bits not in at:
                    at[bits] = len(lookups)
                    lookups.append((bits, data))
            filters.append(list(at.values()))
    building.add("parts", [(read, _odd(len(read))) for read in parts])
    building.add("hashes", [(read, _odd(len(read))) for read in hashes])
    building.add("entries", lookups)
    building.add(
        "filters", [(tuple(f), np.arange(1 << len(f)) == (1 << len(f)) - 1) for f in filters]
    )


def _parity(
    reads: IntArray,
    chosen: NDArray[np.bool_],
    parts: dict[tuple[int, ...], int],
    hashes: dict[tuple[int, ...], int],
) -> int:
    """Return the number of the hash bit that is the XOR of some wires, added where it is new."""
    real = chosen & (reads >= 0)
    groups = (
        reads[at : at + PARITY][real[at : at + PARITY]] for at in range(0, len(reads), PARITY)
    )
    needed = [tuple(map(int, group)) for group in groups if len(group)]
    which = tuple(parts.setdefault(group, len(parts)) for group in needed)
    return hashes.setdefault(which, len(hashes))


def _odd(count: int) -> NDArray[np.bool_]:
    """Return the table of an XOR."""
    found = np.zeros(1, np.bool_)
    for _ in range(count):
        found = np.concatenate([found, ~found])
    return found
