"""Read a LogicNets folder (logicnet.v, layer<i>.v, layer<i>_N<j>.v) as tables, layer by layer.

This reader shares nothing with the importer of nnlogic: results of nnlogic, which go through its
importer and its don't-cares, are proved equal to the networks read here.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from nnlogic.core import bits
from nnlogic.core.formats import IntFormat, LayerInfo, Port
from nnlogic.tables.ir import Function, Instance, TableNet

_ROW = re.compile(r"\d+'b([01]+): M1r = \d+'b([01]+);")
_WIRE = re.compile(r"wire \[\d+:0\] (\w+)_wire = \{([^}]*)\};")
_CELL = re.compile(r"(\w+) \w+_inst \(\.M0\((\w+)_wire\), \.M1\(M1\[(\d+):(\d+)\]\)\);")


def read_logicnet(folder: Path) -> TableNet:
    """Return the network of a folder; ports are single bits, registers are left out."""
    n_layers = len(list(folder.glob("layer[0-9].v")))
    texts = [(folder / f"layer{i}.v").read_text() for i in range(n_layers)]
    width = _width(texts[0], "M0")
    signals = list(range(width))
    functions: list[Function] = []
    index: dict[str, int] = {}
    blocks = []
    known = width
    for number, text in enumerate(texts):
        wires = dict(_WIRE.findall(text))
        outputs = [-1] * _width(text, "M1")
        for cell, wire, high, low in _CELL.findall(text):
            pins = [int(pin) for pin in re.findall(r"M0\[(\d+)\]", wires[wire])][::-1]
            function = _read_table(folder / f"{cell}.v", len(pins))
            at = index.setdefault(function.digest, len(functions))
            if at == len(functions):
                functions.append(function)
            outs = tuple(range(known, known + function.n_outputs))
            known += function.n_outputs
            outputs[int(low) : int(high) + 1] = outs
            origin = cell.replace("_N", "/neuron")
            blocks.append(Instance(at, tuple(signals[p] for p in pins), outs, origin, number))
        signals = outputs
    bit = IntFormat(1)
    net = TableNet(
        folder.name,
        tuple(Port(f"x{i}", bit) for i in range(width)),
        tuple(Port(f"y{i}", bit) for i in range(len(signals))),
        tuple(functions),
        tuple(blocks),
        tuple(signals),
        tuple(LayerInfo(f"layer{i}") for i in range(n_layers)),
    )
    net.verify()
    return net


def used_functions(net: TableNet) -> list[Function]:
    """Functions of the neurons that reach an output, with only the bits that are read."""
    needed = set(net.output_signals)
    functions = []
    for block in reversed(list(net.instances)):
        kept = [i for i, s in enumerate(block.outputs) if s in needed]
        if kept:
            needed.update(block.inputs)
            function = net.functions[block.function]
            functions.append(Function(function.n_inputs, function.bits[kept]))
    return functions[::-1]


def _width(text: str, port: str) -> int:
    found = re.search(rf"put \[(\d+):0\] {port}\b", text)
    if found is None:
        raise ValueError(f"no port {port}")
    return int(found[1]) + 1


def _read_table(path: Path, n: int) -> Function:
    rows = _ROW.findall(path.read_text())
    values = {int(key, 2): value[::-1] for key, value in rows}
    if len(values) != 1 << n or len(rows) != 1 << n:
        raise ValueError(f"{path}: {len(rows)} rows for {n} inputs")
    table = np.array([[bit == "1" for bit in values[i]] for i in range(1 << n)]).T
    return Function(n, bits.pack(table))
