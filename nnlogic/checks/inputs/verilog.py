"""Proof that a QuantNet computes what the Verilog it was imported from computes.

The importer is not trusted: yosys reads the original files, elaborates them and turns every
``case`` into a memory or gates. Registers are wires once every path is shown to cross the same
number of them. Then each neuron, in order of the layers, is matched with nets that carry it and
compared with them on all combinations of its inputs, which were matched before: an induction, so
that the whole networks are equal for all inputs.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from nnlogic.checks.gates import ONE, ZERO, Gates, add_function, bit_names
from nnlogic.checks.inputs import of_source
from nnlogic.checks.layer import WIDEST
from nnlogic.checks.layers import checker_of
from nnlogic.checks.netlist import (
    Net,
    Netlist,
    Register,
    StructureError,
    register_depths,
)
from nnlogic.checks.roms import UNKNOWN, Rom, Unknown, gate_value, read_elaborated
from nnlogic.checks.verdict import Verdict
from nnlogic.checks.whole import network_blif
from nnlogic.core import bits
from nnlogic.core.bits import Bools
from nnlogic.core.errors import ToolFailed, UnsupportedModel
from nnlogic.quant.ir import INPUT, QuantNet
from nnlogic.quant.layer import Layer
from nnlogic.tables.build import tabulate
from nnlogic.tables.ir import MAX_INPUTS
from nnlogic.tools.abc import prove_equal
from nnlogic.tools.plain import scratch

LEFT = "input Verilog"
SAMPLES = 2048
Bit = tuple[str, int, int]  # layer, wire, bit of the wire


def check_imported(net: QuantNet, source: Path, *, timeout: float = 600) -> Verdict:
    """Compare a QuantNet with the Verilog it was made from.

    Parameters
    ----------
    net : QuantNet
        From `nnlogic.frontend.verilog.load.load_verilog`.
    source : Path
        The top file; other files are taken from its folder.
    timeout : float
        Seconds for each program.

    Returns
    -------
    Verdict
        ``"proved"``, or sampled when SAT, which is asked only when a neuron finds no match, comes
        to no verdict. A difference names the first neuron without a match.

    Raises
    ------
    UnsupportedModel
        yosys cannot read the files.
    ToolNotFound, ToolFailed, ToolTimeout
        yosys is missing or fails otherwise.
    """
    start = time.monotonic()
    facts = net.info["verilog"]
    with scratch("import") as folder:
        try:
            netlist = read_elaborated(folder, facts, Path(source).parent, timeout)
        except ToolFailed as error:
            said = error.why.splitlines()
            wrong = next((line for line in said if "ERROR:" in line), "")
            if not wrong and not (
                "Verilog-2005 frontend" in error.why
                and ("exit status" in said[0] or "killed by" in said[0])
            ):
                raise
            # A file that only the importer can read has nobody to say that it is read rightly.
            raise UnsupportedModel(
                "yosys, which checks the import, cannot read the Verilog",
                where=str(source),
                why=(wrong or said[-1]).strip(),
                fix="write it as plain Verilog-2001",
            ) from error
    leaves = [b for name in facts["inputs"] for b in netlist.inputs[name]]
    outputs = [b for name in facts["outputs"] for b in netlist.outputs[name]]
    try:
        _check_registers(netlist, leaves, outputs, facts)
    except StructureError as error:
        detail = "; ".join(t for t in (error.what, error.why) if t)
        return Verdict(LEFT, net.kind, False, "proved", detail, error.where).timed(start)
    match = _Match(net, netlist, leaves, outputs)
    wrong = match.first_wrong()
    if wrong:
        gap = match.prove()
        detail = f"{wrong}; no net carries {gap}" if gap else wrong
        how = f"sampled n={SAMPLES}"
        return Verdict(LEFT, net.kind, False, how, detail, gap).timed(start)
    gap = match.prove()
    if gap:
        return _by_sat(net, netlist, leaves, outputs, gap, timeout).timed(start)
    ties = "".join(f", {name} at {value}" for name, value in facts["ties"].items())
    idle = sum(len(layer.formats) for layer in net.layers) - match.neurons
    detail = (
        f"{match.neurons} neurons on {match.combinations} input combinations"
        f"{f' ({idle} more feed nothing)' if idle else ''}, wiring, "
        f"{facts['registers']} registers on every path{ties}"
    )
    return Verdict(LEFT, net.kind, True, "proved", detail).timed(start)


def _check_registers(
    netlist: Netlist, leaves: list[Net], outputs: list[Net], facts: dict[str, Any]
) -> None:
    clock = netlist.inputs[facts["clock"]][0] if facts["clock"] else ""
    names = bit_names(facts["outputs"], facts["outputs"].values())
    depths = register_depths(
        netlist, dict.fromkeys(leaves, "input"), clock, dict(zip(names, outputs, strict=True))
    )
    need = facts["registers"]
    for name, depth in depths.items():
        if depth is not None and depth != (need, need):
            why = f"paths cross {depth[0]} to {depth[1]} registers, the import says {need}"
            raise StructureError("wrong number of registers", where=name, why=why)


class _Match:
    """Matches the neurons of a QuantNet with nets."""

    def __init__(
        self, net: QuantNet, netlist: Netlist, leaves: list[Net], outputs: list[Net]
    ) -> None:
        self.net, self.netlist = net, netlist
        self.outputs = [self._root(at) for at in outputs]
        self.net_of: dict[Bit, Net] = {}
        self.same: dict[Net, Net] = {}  # proved net -> the one that stands for its class
        self.neurons = self.combinations = 0
        at = 0
        for wire, port in enumerate(net.inputs):
            for b in range(port.format.bits):
                self.net_of[INPUT, wire, b] = leaves[at]
                at += 1
        codes = bits.random_codes(net.inputs, SAMPLES)
        self.trace = net.trace(codes)
        self.values: dict[Net, Bools | None] = _constants(SAMPLES)
        for bit, leaf in list(self.net_of.items()):
            self.values[leaf] = self._sampled(bit)
        self.candidates: dict[bytes, list[Net]] = {}
        for leaf in [*self.values, *netlist.cone(outputs, stop=frozenset(leaves))]:
            self._evaluate(leaf, self.values)
            value = self.values[leaf]
            if (
                value is not None
                and value.ndim == 1
                and not isinstance(netlist.drivers.get(leaf), Register)
            ):
                found = self.candidates.setdefault(value.tobytes(), [])
                found += [] if leaf in found else [leaf]

    def _root(self, at: Net) -> Net:
        while isinstance(driver := self.netlist.drivers.get(at), Register):
            at = driver.data
        return at

    def _sampled(self, bit: Bit) -> Bools:
        layer, wire, b = bit
        return (self.trace[layer][:, wire] >> b & 1).astype(bool)

    def _output_bits(self) -> list[Bit]:
        return [
            (layer, wire, b)
            for port, layer, wire in self.net.output_wires
            for b in range(port.format.bits)
        ]

    def first_wrong(self) -> str:
        """Return the first output bit that differs on the sample rows, or nothing."""
        for position, (bit, at) in enumerate(zip(self._output_bits(), self.outputs, strict=True)):
            value = self.values[at]
            if value is None or value.ndim == 2:
                return f"output bit {position} has no value"
            bad = int((value != self._sampled(bit)).sum())
            if bad:
                return f"output bit {position} differs on {bad} of {SAMPLES} random rows"
        return ""

    def prove(self) -> str:
        """Return the first neuron bit that no net was found to carry; empty when all are proved."""
        live = self._live()
        for layer in self.net.layers:
            for neuron in range(len(layer.formats)):
                if (layer.name, neuron) not in live:
                    continue
                gap = self._prove_neuron(layer, neuron)
                if gap:
                    return gap
        for position, (bit, at) in enumerate(zip(self._output_bits(), self.outputs, strict=True)):
            if self.same.get(at, at) != self.net_of[bit]:
                return f"output bit {position}"
        return ""

    def _live(self) -> set[tuple[str, int]]:
        live = {(layer, wire) for _, layer, wire in self.net.output_wires}
        for layer in reversed(self.net.layers):
            wires, checker = _wires(self.net, layer), checker_of(self.net, layer)
            for neuron in range(len(layer.formats)):
                if (layer.name, neuron) in live:
                    live |= {wires[pin] for pin in checker.fan_in(neuron)}
        return live

    def _prove_neuron(self, layer: Layer, neuron: int) -> str:
        wires, checker = _wires(self.net, layer), checker_of(self.net, layer)
        fan_in = checker.fan_in(neuron)
        if sum(checker.formats[w].bits for w in fan_in) > WIDEST:
            return f"{layer.name}/neuron{neuron}: too wide to enumerate"
        pins = [
            self.net_of[(*wires[pin], b)]
            for pin in fan_in
            for b in range(checker.formats[pin].bits)
        ]
        names = [at for at in dict.fromkeys(pins) if at not in ("0", "1")]
        index = np.arange(1 << len(names))
        values = _constants(len(index))
        values.update((at, (index >> i & 1).astype(bool)) for i, at in enumerate(names))
        inputs, at_bit = {}, iter(pins)
        for wire in fan_in:
            fmt, raw = checker.formats[wire], np.zeros(len(index), np.int64)
            for k in range(fmt.bits):
                value = values[next(at_bit)]
                if value is not None:
                    raw |= value.astype(np.int64) << k
            inputs[wire] = fmt.from_raw(raw)
        expected = checker.values(neuron, inputs, len(index))
        for b in range(layer.formats[neuron].bits):
            bit = (layer.name, neuron, b)
            wanted = (expected >> b & 1).astype(bool)
            own = [
                at
                for at in self.candidates.get(self._sampled(bit).tobytes(), [])
                if self._equal(at, wanted, values)
            ]
            if not own:
                return f"{layer.name}/neuron{neuron}/bit{b}"
            first = self.same.get(own[0], own[0])
            self.same.update(dict.fromkeys(own, first))
            self.net_of[bit] = first
        self.neurons += 1
        self.combinations += len(index)
        return ""

    def _equal(self, at: Net, wanted: Bools, values: dict[Net, Bools | None]) -> bool:
        self._evaluate(at, values)
        value = values[at]
        return value is not None and value.ndim == 1 and bool(np.array_equal(value, wanted))

    def _evaluate(self, root: Net, values: dict[Net, Bools | None]) -> None:
        """Compute a net from those in `values`; None when it depends on others as well."""
        stack = [root]
        while stack:
            at = stack[-1]
            standing = self.same.get(at, at)
            if at in values:
                stack.pop()
                continue
            if standing in values:
                values[at] = values[standing]
                continue
            driver = self.netlist.drivers.get(at)
            fanins = self.netlist.fanins(at)
            waiting = [f for f in fanins if f not in values]
            if driver is None:
                values[at] = None
            elif waiting:
                stack += waiting
            else:
                known = [v for f in fanins if (v := values[f]) is not None]
                values[at] = gate_value(driver, known) if len(known) == len(fanins) else None


def _constants(size: int) -> dict[Net, Bools | None]:
    both = np.ones((2, size), bool)
    return {"0": np.zeros(size, bool), "1": np.ones(size, bool), UNKNOWN: both}


def _wires(net: QuantNet, layer: Layer) -> list[tuple[str, int]]:
    widths = {INPUT: len(net.inputs), **{la.name: len(la.formats) for la in net.layers}}
    return [(source, wire) for source in layer.sources for wire in range(widths[source])]


def _by_sat(
    net: QuantNet,
    netlist: Netlist,
    leaves: list[Net],
    outputs: list[Net],
    gap: str,
    timeout: float,
) -> Verdict:
    """Compare the whole networks, where a neuron found no net of its own."""
    names = [
        bit_names((f"{letter}{i}" for i in range(len(ports))), (p.format.bits for p in ports))
        for letter, ports in (("x", net.inputs), ("y", net.outputs))
    ]
    gates = Gates(list(names[0]))
    drives: dict[Net, str] = {"0": ZERO, "1": ONE, **dict(zip(leaves, names[0], strict=True))}
    for at in netlist.cone(outputs, stop=frozenset(leaves)):
        driver = netlist.drivers.get(at)
        if at in drives or driver is None:
            continue
        if isinstance(driver, Unknown):
            detail = f"no proof: an unknown value is in the circuit; no net carries {gap}"
            return Verdict(LEFT, net.kind, True, f"sampled n={SAMPLES}", detail)
        pins = [drives[f] for f in netlist.fanins(at)]
        if isinstance(driver, Register):
            drives[at] = pins[0]
        elif isinstance(driver, Rom):
            drives[at] = add_function(gates, pins, driver.table)
        else:
            drives[at] = gates.cover(pins, driver.cubes)
    for name, at in zip(names[1], outputs, strict=True):
        gates.output(name, drives[at])
    expected = network_blif(tabulate(net, limit=MAX_INPUTS))
    try:
        equal, said = prove_equal(expected, gates.text(), timeout=timeout)
    except ToolFailed as error:
        detail = f"no proof: {error.what}; no net carries {gap}"
        return Verdict(LEFT, net.kind, True, f"sampled n={SAMPLES}", detail)
    detail = f"whole network by SAT; no net carries {gap}"
    if not equal:
        detail += f"; {' '.join(said.split())}"
    return Verdict(LEFT, net.kind, equal, "proved", detail, "" if equal else gap)


RUNG = of_source("input Verilog = QuantNet", check_imported, "the Verilog", timed=True)
