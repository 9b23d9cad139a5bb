"""BLIF with names: combinational networks of ``.names`` nodes, as users write them.

`nnlogic.logic.abc_blif` is the strict, nameless form that nnlogic speaks with its tools.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from nnlogic.logic.abc_blif import write_blif as write_network
from nnlogic.logic.cone import Cone, ConeBuilder
from nnlogic.logic.formats.cover import add_cubes
from nnlogic.logic.formats.order import topological
from nnlogic.logic.formats.spec import (
    Complaints,
    Specification,
    clean_names,
    decoded,
    free_prefix,
    legal_name,
    model_name,
)

TIMING = ("area", "delay", "wire", "wire_load_slope", "attr", "cname", "param", "clock")
LOADS = ("input_arrival", "output_required", "input_drive", "output_load", "max_input_load")
IGNORED = frozenset(f".{key}" for key in (*TIMING, *LOADS, *(f"default_{k}" for k in LOADS)))
SEQUENTIAL = frozenset({".latch", ".mlatch"})
HIERARCHICAL = frozenset({".subckt", ".gate", ".search"})


@dataclass
class _Node:
    line: int
    fanins: list[str]
    cubes: list[str] = field(default_factory=list)
    values: set[str] = field(default_factory=set)


@dataclass
class _Model:
    complaints: Complaints
    name: str = ""
    inputs: dict[str, int] = field(default_factory=dict)
    outputs: dict[str, int] = field(default_factory=dict)
    nodes: dict[str, _Node] = field(default_factory=dict)
    current: _Node | None = None
    partial: bool = False


def read_blif(data: bytes, where: str) -> Specification:
    """Read a combinational BLIF model of ``.names`` nodes with any number of inputs.

    Raises
    ------
    FormatError
        Latches, hierarchy, malformed cubes, undefined or doubly defined signals, cycles; all of
        them, with their lines.
    """
    model = _Model(Complaints(where))
    for number, line in _logical_lines(decoded(data, where)):
        words = line.split()
        if words[0] == ".end":
            break
        if words[0].startswith("."):
            _directive(model, number, words)
        else:
            _cube(model, number, words)
    say = model.complaints.add
    if not model.outputs and not model.complaints.found:
        say(0, "no outputs")
    # Latches and subcircuits drive signals too; they are refused by themselves.
    if not model.partial:
        _check_drivers(model)
    order, cycle = topological(model.inputs, {k: v.fanins for k, v in model.nodes.items()})
    if cycle:
        path = " <- ".join([*cycle[:6], *(["..."] if len(cycle) > 6 else []), cycle[0]])
        say(model.nodes[cycle[0]].line, f"a combinational cycle: {path}")
    model.complaints.check()
    names = clean_names(list(model.inputs), list(model.outputs))
    name = legal_name(model.name) if model.name else model_name(where)
    return Specification(name, *names, _network(model, order))


def _check_drivers(model: _Model) -> None:
    reported = set()
    for node in model.nodes.values():
        for s in node.fanins:
            if s not in model.nodes and s not in model.inputs and s not in reported:
                reported.add(s)
                model.complaints.add(node.line, f"nothing drives {s}")
    for name, line in model.outputs.items():
        if name not in model.nodes and name not in model.inputs:
            model.complaints.add(line, f"nothing drives the output {name}")


def write_blif(name: str, inputs: tuple[str, ...], outputs: tuple[str, ...], cone: Cone) -> bytes:
    """Return a network as a BLIF file; names as `clean_names` makes them."""
    node = free_prefix((*inputs, *outputs))
    return write_network(cone, name, inputs=inputs, outputs=outputs, node=node).encode()


def _network(model: _Model, order: list[str]) -> Cone:
    builder = ConeBuilder(len(model.inputs))
    signal = {name: i for i, name in enumerate(model.inputs)}
    for name in order:
        node = model.nodes[name]
        fanins = [signal[s] for s in node.fanins]
        signal[name] = add_cubes(builder, fanins, node.cubes, node.values != {"0"})
    return builder.cone([signal[name] for name in model.outputs])


def _directive(model: _Model, number: int, words: list[str]) -> None:
    key, rest = words[0], words[1:]
    say = model.complaints.add
    model.current = None
    if key == ".names":
        _names(model, number, rest)
    elif key in (".inputs", ".outputs"):
        into = model.inputs if key == ".inputs" else model.outputs
        for name in rest:
            if name in into:
                say(number, f"{name} is declared twice")
            elif key == ".inputs" and name in model.nodes:
                say(number, f"{name} is driven on line {model.nodes[name].line}")
            into.setdefault(name, number)
    elif key == ".model":
        if model.name:
            say(number, "a second model", "flatten the hierarchy")
        model.name = model.name or (rest[0] if rest else model_name(model.complaints.where))
    elif key in SEQUENTIAL:
        model.partial = True
        say(number, f"{key}: only combinational logic", "cut the network at its registers")
    elif key in HIERARCHICAL:
        model.partial = True
        say(number, f"{key}: only .names nodes", "flatten and map to .names nodes")
    elif key not in IGNORED:
        say(number, f"{key} is not supported")


def _names(model: _Model, number: int, names: list[str]) -> None:
    say = model.complaints.add
    node = _Node(number, names[:-1])
    model.current = node
    if not names:
        say(number, ".names without a signal")
    elif names[-1] in model.inputs:
        say(number, f"{names[-1]} is an input, nothing may drive it")
    elif names[-1] in model.nodes:
        say(number, f"{names[-1]} is driven on line {model.nodes[names[-1]].line} too")
    else:
        model.nodes[names[-1]] = node


def _cube(model: _Model, number: int, words: list[str]) -> None:
    say = model.complaints.add
    node = model.current
    if node is None:
        say(number, f"{words[0][:40]!r} outside any node")
        return
    cube, value = ("", words[0]) if len(words) == 1 else (words[0], words[-1])
    if len(words) > 2 or value not in ("0", "1"):
        say(number, "a cube is an input part and a 0 or 1")
    elif len(cube) != len(node.fanins):
        say(number, f"input part of {len(cube)} characters for {len(node.fanins)} inputs")
    elif cube.strip("01-"):
        say(number, f"input part has {cube.strip('01-')[0]!r}, allowed are 0, 1 and -")
    else:
        node.cubes.append(cube)
        node.values.add(value)
        if len(node.values) > 1:
            say(number, "cubes of both values in one node")


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield (number of the first line, text without comment), continuations joined."""
    pending, start = "", 0
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.split("#", 1)[0].rstrip()
        start = start or number
        if line.endswith("\\"):
            pending += line[:-1] + " "
            continue
        if (pending + line).strip():
            yield start, (pending + line).strip()
        pending, start = "", 0
    if pending.strip():
        yield start, pending.strip()
