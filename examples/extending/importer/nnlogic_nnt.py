"""An importer for made-up .nnt files: neurons of single bits, a truth table each.

The digits of a table stand in the order of its index, whose bit 0 is the first wire that is read.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nnlogic.core.archive import frozen
from nnlogic.core.errors import CheckpointError, Problem
from nnlogic.core.formats import IntFormat, Port
from nnlogic.frontend import Confidence, Format, LoadOptions
from nnlogic.quant.ir import INPUT, Enumerated, QuantNet

BIT = IntFormat(1)
Neurons = dict[str, tuple[list[str], str]]


class Nnt(Format):
    """The contract: recognize a file, read it, compare the result with it."""

    name = "nnt"
    title = "NNT tables"
    wanted = "an .nnt file, whose first line is 'nnt 1'"

    def sniff(self, head: bytes, path: Path) -> Confidence | None:
        """Look at the first line, then at the name."""
        if head.startswith(b"nnt 1\n"):
            return Confidence.CERTAIN
        return Confidence.MAYBE if path.suffix == ".nnt" else None

    def load(self, path: Path, options: LoadOptions) -> QuantNet:
        """Return a layer per neuron; each can read all wires before it."""
        inputs, neurons, outputs = parse(path)
        wires = [*inputs, *neurons]
        layers = tuple(
            Enumerated(
                name,
                (INPUT, *list(neurons)[:i]),
                (tuple(wires.index(wire) for wire in reads),),
                (frozen([int(digit) for digit in table], np.int64),),
                (BIT,),
                (BIT,) * (len(inputs) + i),
            )
            for i, (name, (reads, table)) in enumerate(neurons.items())
        )
        return QuantNet(
            name=path.stem,
            inputs=tuple(Port(name, BIT) for name in inputs),
            layers=layers,
            output_wires=tuple((Port(name, BIT), name, 0) for name in outputs),
        )

    def first_rung(self):
        """Return the check of the first rung."""
        from nnlogic.checks.inputs import FirstRung

        return FirstRung("NNT tables = QuantNet", first_check)


def parse(path: Path) -> tuple[list[str], Neurons, list[str]]:
    """Return inputs, neurons (wires read, table) in order, outputs; list all that is wrong."""
    first, *lines = path.read_text(encoding="utf-8").splitlines()
    problems = [] if first == "nnt 1" else [Problem("line 1", f"{first!r}, need 'nnt 1'")]
    inputs: list[str] = []
    outputs: list[str] = []
    neurons: Neurons = {}
    for number, line in enumerate(lines, 2):
        words, _, table = line.partition(":")
        name, *reads = words.split() or [""]
        unknown = set(reads) - {*inputs, *neurons}
        if name == "inputs":
            inputs = reads
        elif unknown:
            why = f"{', '.join(sorted(unknown))} stands nowhere before"
            problems.append(Problem(f"line {number}", why))
        elif name == "outputs":
            outputs = reads
        elif set(table.strip()) <= set("01") and len(table.strip()) == 2 ** len(reads):
            neurons[name] = reads, table.strip()
        elif name:
            why = f"need {2 ** len(reads)} digits 0 or 1 after a colon"
            problems.append(Problem(f"line {number}", why))
    if problems or not outputs:
        raise CheckpointError("not an NNT file", where=str(path), problems=problems)
    return inputs, neurons, outputs


def first_check(net: QuantNet, source: Path, timeout: float):
    """Compare the network with the file for all inputs, without a word of the importer above."""
    from nnlogic.checks.verdict import Verdict

    if not source.is_file():
        return f"{source.name} does not hold the tables it was made from"

    def check() -> Verdict:
        count = 2 ** len(net.inputs)
        for value in range(count):
            wires: dict[str, int] = {}
            bits = [value >> i & 1 for i in range(len(net.inputs))]
            for line in source.read_text(encoding="utf-8").splitlines()[1:]:
                words, _, table = line.partition(":")
                name, *reads = words.split() or [""]
                if name == "inputs":
                    wires = dict(zip(reads, bits, strict=True))
                elif table:
                    index = sum(wires[wire] << i for i, wire in enumerate(reads))
                    wires[name] = int(table.strip()[index])
            got = net.evaluate(np.array([bits]))[0]
            want = [wires[port.name] for port in net.outputs]
            if list(got) != want:
                detail = f"inputs {bits}: file {want}, network {list(got)}"
                return Verdict("NNT tables", net.kind, False, "exhaustive", detail)
        return Verdict("NNT tables", net.kind, True, "exhaustive", f"{count} input combinations")

    return check


FORMAT = Nnt()
