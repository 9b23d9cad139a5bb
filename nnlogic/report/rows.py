"""Rows and sections of a report. Numbers that are None were not measured."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from nnlogic.report.codec import LATER

Verdict = Literal["pass", "fail", "not run", "stale"]
CountSource = Literal["bound", "estimate", "synth", "pnr"]

RUNG_TITLES = (
    "planted faults are caught",
    "input model = QuantNet",
    "QuantNet = TableNet",
    "TableNet = LogicNet",
    "LogicNet = HardwareDesign",
    "HardwareDesign = Verilog",
    "Verilog = post-synthesis netlist",
)


@dataclass(frozen=True)
class Source:
    """The file that was compiled.

    Attributes
    ----------
    file : str or None
        File name without its directory.
    sha256 : str or None
        Of the file, hexadecimal.
    format : str or None
        For instance ``"nnlogic checkpoint"``.
    """

    file: str | None = None
    sha256: str | None = None
    format: str | None = None


@dataclass(frozen=True)
class ToolRow:
    """An external program: name, version, and where it came from (wheel or path)."""

    name: str
    version: str | None = None
    source: str | None = None


@dataclass(frozen=True)
class PortRow:
    """A port of the network; `format` is ``u3`` or ``i8``."""

    name: str
    format: str


@dataclass(frozen=True)
class LayerRow:
    """A layer of the network.

    Attributes
    ----------
    role : str
        ``"encoder"``, ``"network"`` or ``"output"``.
    neurons : int
    fan_in_bits : int or None
        Input bits of its widest neuron.
    """

    name: str
    role: str
    neurons: int
    fan_in_bits: int | None = None


@dataclass(frozen=True)
class Network:
    """Ports and layers.

    Attributes
    ----------
    encoder : str or None
        In words: what quantizes the raw features outside the logic, and that it is not counted.
    quantities : tuple of str
        What output codes stand for.
    """

    inputs: tuple[PortRow, ...] = ()
    outputs: tuple[PortRow, ...] = ()
    layers: tuple[LayerRow, ...] = ()
    encoder: str | None = None
    quantities: tuple[str, ...] = field(default=(), metadata=LATER)


@dataclass(frozen=True)
class FunnelRow:
    """What became of a layer's tables.

    Attributes
    ----------
    tables : int or None
        Neurons given as truth tables.
    distinct : int or None
        Different tables among them.
    bound : int or None
        LUTs when each table is built from multiplexers (LogicNets' formula): a bound, nothing
        was minimized.
    luts : int or None
        Nodes of the minimized LUT network with two or more inputs.
    depth : int or None
        LUT levels on the longest path inside the layer.
    """

    layer: str
    role: str = "network"
    tables: int | None = None
    distinct: int | None = None
    bound: int | None = None
    luts: int | None = None
    depth: int | None = None


@dataclass(frozen=True)
class ResourceRow:
    """Hardware of one part.

    Attributes
    ----------
    part : str
        A layer name, or ``"encoder"``, ``"network"``, ``"output"``, ``"stream wrapper"``,
        ``"total"``.
    source : str
        ``"bound"``, ``"estimate"``, ``"synth"`` or ``"pnr"``.
    luts, ffs, wide_muxes : int or None
    detail : str
        For instance the device and the tool.
    """

    part: str
    source: CountSource
    luts: int | None = None
    ffs: int | None = None
    wide_muxes: int | None = None
    detail: str = ""


@dataclass(frozen=True)
class AccuracyRow:
    """Accuracy of one stage: `percent` correct of `n` rows.

    `stage` is ``"float"``, ``"quantized"``, ``"tables"``, ``"RTL"`` or a stage's own name;
    `detail` says on which rows.
    """

    stage: str
    n: int | None = None
    percent: float | None = None
    detail: str = ""


@dataclass(frozen=True)
class DataRow:
    """How a file of rows was read.

    Attributes
    ----------
    part : str
        What the rows are for: ``"rows"``, ``"validation rows"`` or ``"test rows"``.
    file : str
        Its name without the folder.
    n : int
    matched : str
        How columns became features: by name, in order or reordered, or by position.
    labelled : str
        Where labels come from, and how they were read.
    notices : tuple of str
        What was left out, or taken for something else.
    """

    part: str
    file: str
    n: int
    matched: str
    labelled: str
    notices: tuple[str, ...] = ()


@dataclass(frozen=True)
class ApproximateRows:
    """The exact and the approximate network on one set of rows; shares in percent of the rows.

    Attributes
    ----------
    part : str
        ``"observation"``, ``"validation"`` or ``"test"``.
    n : int
    exact, approximate : float or None
        Classified right; None without labels.
    lost : float
        Right before and wrong now; without labels, of another class now.
    agreement, words : float
        Rows of the same class, and with every output the same.
    detail : str
        Where the rows come from.
    """

    part: str
    n: int
    exact: float | None
    approximate: float | None
    lost: float
    agreement: float
    words: float
    detail: str = ""


@dataclass(frozen=True)
class ApproximateLayer:
    """What approximate mode did to a layer.

    Attributes
    ----------
    layer : str
        ``"total"`` for the whole network.
    tables, changed : int
        Distinct tables, and those that compute something else now.
    entries, freed : int
        Entries the exact tables care about, and those that became don't-cares.
    rarity : int
        Entries observed less often were free, at most; 0 where none were freed.
    sampled : int
        Neurons too wide for a table that were replaced.
    luts_exact, luts : int or None
        LUTs of the minimized network without and with approximation.
    """

    layer: str
    tables: int
    changed: int
    entries: int
    freed: int
    rarity: int
    sampled: int
    luts_exact: int | None = None
    luts: int | None = None


@dataclass(frozen=True)
class Approximation:
    """Approximate mode: what was asked, what was done, what it cost.

    Attributes
    ----------
    budget : float
        Percentage points of accuracy (or agreement) that might be lost.
    held : bool
        Whether the drop on validation rows is within the budget.
    held_on_test : bool
        The same on test rows, which took no part.
    measure : str
        ``"accuracy"``, or ``"agreement"`` where there are no labels.
    rarity : int
        Largest rarity in use.
    rows : tuple of ApproximateRows
    layers : tuple of ApproximateLayer
    """

    budget: float
    held: bool
    held_on_test: bool
    measure: str
    rarity: int
    rows: tuple[ApproximateRows, ...] = ()
    layers: tuple[ApproximateLayer, ...] = ()


@dataclass(frozen=True)
class Check:
    """One comparison inside a rung.

    Attributes
    ----------
    title : str
    verdict : str
        ``"pass"``, ``"fail"``, ``"not run"``, or ``"stale"``: it was of other bytes than those
        that are there now.
    how : str
        ``"proved"``, ``"exhaustive"`` or ``"sampled n=<N>"``.
    detail : str
        The first difference, a count, or why it was not run.
    seconds : float or None
    files : dict of str to str
        SHA-256 of the files that were compared, by path relative to the run.
    """

    title: str
    verdict: Verdict = "not run"
    how: str = ""
    detail: str = ""
    seconds: float | None = None
    files: dict[str, str] = field(default_factory=dict, metadata=LATER)


@dataclass(frozen=True)
class Rung:
    """One rung of the verification ladder; fields as in `Check`, with its parts in `checks`."""

    number: int
    title: str
    verdict: Verdict = "not run"
    how: str = ""
    detail: str = ""
    seconds: float | None = None
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True)
class StepRow:
    """A pass or stage: wall clock, and its size before and after (name -> number)."""

    name: str
    seconds: float | None = None
    before: dict[str, int | float] = field(default_factory=dict)
    after: dict[str, int | float] = field(default_factory=dict)


@dataclass(frozen=True)
class Engine:
    """A minimization engine: how many functions it won, and the LUTs of those."""

    name: str
    functions: int | None = None
    luts: int | None = None


@dataclass(frozen=True)
class Artifact:
    """A file of the run: path relative to the run directory, and what it is."""

    path: str
    what: str = ""


@dataclass(frozen=True)
class Command:
    """A shell command that reproduces something; `purpose` says what."""

    purpose: str
    line: str


def rung_verdict(checks: Iterable[Check]) -> Verdict:
    """Return ``"fail"`` or ``"stale"`` if any is, ``"pass"`` if all passed, else ``"not run"``."""
    found = [check.verdict for check in checks]
    if "fail" in found:
        return "fail"
    if "stale" in found:
        return "stale"
    return "pass" if found and all(v == "pass" for v in found) else "not run"
