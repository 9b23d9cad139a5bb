"""The rows of the table: what is minimized, and what is known about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

import nnlogic
from benchmarks.minimize import neurons
from benchmarks.minimize.logicnets import read_logicnet, used_functions
from benchmarks.minimize.parts import Part, Sampled, netlist_of
from benchmarks.minimize.vgg import read_vgg
from nnlogic.approximate.rows import Split, split_rows
from nnlogic.core import bits
from nnlogic.quant.ir import QuantNet
from nnlogic.tables.ir import Function

EXAMPLES = Path(__file__).parents[2] / "examples"
SHAPES = ((4, 2), (6, 2), (4, 3), (5, 3), (7, 2))
PER_ROW = 4


@dataclass(frozen=True)
class Goal:
    """LUT6 to reach; `relative` ones are shares of what `&ttopt` needs in the same run."""

    floor: float
    aim: float
    levels: tuple[int, int] | None = None
    relative: bool = False


@dataclass
class Parts:
    """What the methods are given.

    Attributes
    ----------
    given : list of Part
    observed : list of Part
        The same functions with the inputs seen in data as care set, or the same network with rows.
    held_out : list of int array
        Table index of each row that took no part, per function.
    own : list of Part
        Given to nnlogic instead, where it takes a network as a whole.
    """

    given: list[Part]
    observed: list[Part] = field(default_factory=list)
    held_out: list[neurons.Ints] = field(default_factory=list)
    own: list[Part] = field(default_factory=list)


@dataclass(frozen=True)
class Case:
    """A row.

    Attributes
    ----------
    name : str
        For ``--only``.
    title : str
    load : callable
        Returns the parts.
    known, vivado : str
        Published figures, LUT6.
    missing : str
        Why it cannot run; empty when it can.
    """

    name: str
    title: str
    load: Callable[[], Parts]
    goal: Goal | None = None
    known: str = ""
    vivado: str = ""
    missing: str = ""


def all_cases(peers: Path | None, iwls: Path | None, per_row: int = PER_ROW) -> Iterator[Case]:
    """Yield every row in the order of the table; `per_row` single neurons per shape."""
    yield Case(
        "iwls",
        "32 IWLS 2022 neurons",
        lambda: Parts([read_truth(p) for p in sorted((iwls or Path()).glob("*.truth"))]),
        Goal(2100, 1500, (5, 6)),
        "2,235",
        missing="" if iwls else "give --iwls DIR",
    )
    yield from _peer_cases(peers)
    yield Case(
        "fresh100",
        "100 trained linear neurons, 4 inputs of 3 bits, 3 output bits",
        lambda: _trained(100, 4, 3, 3),
        Goal(0.90, 0.60, relative=True),
        "`&ttopt; &lnetmap`",
    )
    for path in sorted(EXAMPLES.glob("*/*.safetensors")):
        yield Case(path.stem, f"checkpoint {path.stem}", partial(_checkpoint, path))
    for inputs, width in SHAPES:
        for outputs in range(1, 5):
            shape = f"{inputs}x{width}-{outputs}"
            plural = "s" if per_row > 1 else ""
            what = f"{per_row} {{}} neuron{plural}, {inputs} inputs of {width} bits, {outputs} out"
            args = (per_row, inputs, width, outputs)
            yield Case(f"random-{shape}", what.format("random"), partial(_random, *args))
            yield Case(f"trained-{shape}", what.format("trained"), partial(_trained, *args))


def _peer_cases(peers: Path | None) -> Iterator[Case]:
    missing = "" if peers else "give --peers DIR"
    goals = {
        ("cybernid", True): ("IIoT base", Goal(690, 450), "735", "980"),
        ("cybernid", False): ("IIoT base", None, "837", ""),
        ("cybernid_sparse", True): ("IIoT sparse", Goal(262, 180), "279", "334"),
        ("cybernid_sparse", False): ("IIoT sparse", Goal(235, 150), "249", ""),
        ("cybernid_sparse_big", True): ("IIoT sparse_big", Goal(57, 40), "61", "64"),
        ("cybernid_sparse_big", False): ("IIoT sparse_big", Goal(33, 24), "34", ""),
    }
    for (folder, layered), (title, goal, known, vivado) in goals.items():
        yield Case(
            f"{title.lower().replace(' ', '-')}-{'kept' if layered else 'merged'}",
            f"{title}, layers {'kept' if layered else 'merged'}",
            partial(_logicnet, (peers or Path()) / folder, layered),
            goal,
            known,
            vivado,
            missing,
        )
    yield Case(
        "vgg",
        "NullaNet VGG16 conv8, 512 kernels",
        lambda: Parts(read_vgg((peers or Path()) / "vgg" / "kernel_8_wrapper.v")),
        Goal(7500, 5000),
        "8,714",
        missing=missing,
    )


def read_truth(path: Path) -> Function:
    """Read a ``.truth`` file: one line per output, the highest input combination first."""
    rows = path.read_text().split()
    table = np.array([[c == "1" for c in reversed(row)] for row in rows])
    return Function(table.shape[1].bit_length() - 1, bits.pack(table))


def _logicnet(folder: Path, layered: bool) -> Parts:
    net = read_logicnet(folder)
    whole = netlist_of(net)
    own = netlist_of(nnlogic.tabulate(nnlogic.load(folder / "logicnet.v")), layered)
    return Parts([*used_functions(net)] if layered else [whole], own=[own])


def _checkpoint(path: Path) -> Parts:
    net = nnlogic.load(path)
    tables = nnlogic.tabulate(net)
    rows = path.with_name("rows.npz")
    seen: list[Part] = [Sampled(net, tables, halves(net, rows))] if rows.exists() else []
    return Parts([netlist_of(tables)], seen)


def halves(net: QuantNet, rows: Path) -> Split:
    """Deal out the rows of a file: every other one is for tests, the rest decide."""
    with np.load(rows) as data, TemporaryDirectory(prefix="nnlogic-rows-") as name:
        files = [Path(name) / "rows.npz", Path(name) / "test.npz"]
        order = np.random.default_rng(0).permutation(len(data["X"]))
        for number, file in enumerate(files):
            mine = order[number::2]
            np.savez(file, X=data["X"][mine], y=data["y"][mine])
        return split_rows(net, files[0], test=files[1])


def _random(count: int, inputs: int, width: int, outputs: int) -> Parts:
    rng = np.random.default_rng((inputs, width, outputs))
    return Parts([neurons.random_neuron(rng, inputs, width, outputs) for _ in range(count)])


def _trained(count: int, inputs: int, width: int, outputs: int) -> Parts:
    made = neurons.trained_neurons(count, inputs, width, outputs, seed=0)
    seen = [neurons.observed(function, reads, width) for function, reads in made]
    return Parts([f for f, _ in made], [*(f for f, _ in seen)], [rows for _, rows in seen])
