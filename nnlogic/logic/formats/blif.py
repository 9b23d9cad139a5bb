"""BLIF with names: combinational networks of ``.names`` nodes, as users write them.

`nnlogic.logic.abc_blif` is the strict, nameless form that nnlogic speaks with its tools.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from nnlogic.core.limits import FAN_IN, PORTS
from nnlogic.logic.abc_blif import write_blif as write_network
from nnlogic.logic.cone import Cone, ConeBuilder
from nnlogic.logic.formats.cover import add_cubes
from nnlogic.logic.formats.order import topological
from nnlogic.logic.formats.spec import (
    Complaints,
    Relaxed,
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
EXDC = ".exdc"


@dataclass
class _Node:
    line: int
    fanins: list[str]
    cubes: list[str] = field(default_factory=list)
    values: set[str] = field(default_factory=set)


@dataclass
class _Model:
    """What the lines said; `free` holds the nodes of ``.exdc``, `into` those being read."""

    complaints: Complaints
    name: str = ""
    inputs: dict[str, int] = field(default_factory=dict)
    outputs: dict[str, int] = field(default_factory=dict)
    nodes: dict[str, _Node] = field(default_factory=dict)
    free: dict[str, _Node] | None = None
    external: bool = False
    current: _Node | None = None
    refused: set[str] = field(default_factory=set)

    @property
    def into(self) -> dict[str, _Node]:
        """The network that ``.names`` adds to."""
        return self.free if self.external and self.free is not None else self.nodes


def read_blif(data: bytes, where: str) -> Specification:
    """Read a combinational BLIF model of ``.names`` nodes with any number of inputs.

    External don't-cares (``.exdc``) are nodes called like outputs, 1 where the output does not
    matter; they stand behind the network, or before it if they have an ``.end`` of their own.

    Returns
    -------
    Specification
        A network, relaxed where there are don't-cares.

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
            if not model.external or model.nodes:
                break
            model.external = False
        elif words[0].startswith("."):
            _directive(model, number, words)
        else:
            _cube(model, number, words)
    say = model.complaints.add
    if not model.outputs and not model.complaints.found:
        say(0, "no outputs")
    # Latches and subcircuits drive signals too; they are refused by themselves.
    if not model.refused:
        _check_drivers(model)
    order = _order(model, model.nodes)
    free_order = _order(model, model.free or {})
    model.complaints.check()
    names = clean_names(list(model.inputs), list(model.outputs))
    name = legal_name(model.name) if model.name else model_name(where)
    network = _network(model, model.nodes, order)
    if model.free is None:
        return Specification(name, *names, network)
    free = _network(model, model.free, free_order)
    return Specification(name, *names, Relaxed(network, free))


def _order(model: _Model, nodes: dict[str, _Node]) -> list[str]:
    order, cycle = topological(model.inputs, {k: v.fanins for k, v in nodes.items()})
    if cycle:
        path = " <- ".join([*cycle[:6], *(["..."] if len(cycle) > 6 else []), cycle[0]])
        model.complaints.add(nodes[cycle[0]].line, f"a combinational cycle: {path}")
    return order


def _check_drivers(model: _Model) -> None:
    for nodes, what in ((model.nodes, ""), (model.free or {}, f" in {EXDC}")):
        reported = set()
        for node in nodes.values():
            for s in node.fanins:
                if s not in nodes and s not in model.inputs and s not in reported:
                    reported.add(s)
                    model.complaints.add(node.line, f"nothing drives {s}{what}")
    for name, line in model.outputs.items():
        if name not in model.nodes and name not in model.inputs:
            model.complaints.add(line, f"nothing drives the output {name}")


def write_blif(name: str, inputs: tuple[str, ...], outputs: tuple[str, ...], cone: Cone) -> bytes:
    """Return a network as a BLIF file; names as `clean_names` makes them."""
    node = free_prefix((*inputs, *outputs))
    return write_network(cone, name, inputs=inputs, outputs=outputs, node=node).encode()


def _network(model: _Model, nodes: dict[str, _Node], order: list[str]) -> Cone:
    """Return nodes as a network; outputs without one are 0, as in ``.exdc``."""
    builder = ConeBuilder(len(model.inputs))
    signal = {name: i for i, name in enumerate(model.inputs)}
    for name in order:
        node = nodes[name]
        fanins = [signal[s] for s in node.fanins]
        signal[name] = add_cubes(builder, fanins, node.cubes, node.values != {"0"})
    if nodes is model.free:  # an output that is an input has no don't-cares of its own
        signal = {name: s for name, s in signal.items() if name in nodes}
    return builder.cone(
        [signal[o] if o in signal else builder.constant(False) for o in model.outputs]
    )


def _directive(model: _Model, number: int, words: list[str]) -> None:
    key, rest = words[0], words[1:]
    say = model.complaints.add
    model.current = None
    if key == ".names":
        _names(model, number, rest)
    elif key == EXDC:
        if model.free is not None:
            say(number, f"a second {EXDC}")
        model.free = model.free or {}
        model.external = True
    elif key in (".inputs", ".outputs") and model.external:
        known = model.inputs if key == ".inputs" else model.outputs
        for name in rest:
            if name not in known:
                say(number, f"{name} in {EXDC} is not one of the {key[1:]} of the network")
    elif key in (".inputs", ".outputs"):
        into = model.inputs if key == ".inputs" else model.outputs
        for name in rest:
            if name in into:
                say(number, f"{name} is declared twice")
            elif key == ".inputs" and name in model.nodes:
                say(number, f"{name} is driven on line {model.nodes[name].line}")
            into.setdefault(name, number)
        model.complaints.limit(number, PORTS, len(into), key[1:])
    elif key == ".model":
        if model.name:
            say(number, "a second model", "flatten the hierarchy")
        model.name = model.name or (rest[0] if rest else model_name(model.complaints.where))
    elif key in SEQUENTIAL | HIERARCHICAL:
        if key in model.refused:
            return
        model.refused.add(key)
        if key in SEQUENTIAL:
            say(number, f"{key}: only combinational logic", "cut the network at its registers")
        else:
            say(number, f"{key}: only .names nodes", "flatten and map to .names nodes")
    elif key not in IGNORED:
        say(number, f"{key[:40]} is not supported")


def _names(model: _Model, number: int, names: list[str]) -> None:
    say = model.complaints.add
    node = _Node(number, names[:-1])
    model.current = node
    model.complaints.limit(number, FAN_IN, len(node.fanins), "inputs of a node")
    if not names:
        say(number, ".names without a signal")
    elif names[-1] in model.inputs:
        say(number, f"{names[-1]} is an input, nothing may drive it")
    elif names[-1] in model.into:
        say(number, f"{names[-1]} is driven on line {model.into[names[-1]].line} too")
    else:
        model.into[names[-1]] = node


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
    pending: list[str] = []
    start = 0
    for number, raw in enumerate([*text.split("\n"), ""], 1):
        line = raw.split("#", 1)[0].rstrip()
        start = start or number
        if line.endswith("\\"):
            pending.append(line[:-1])
            continue
        whole = " ".join([*pending, line]).strip()
        if whole:
            yield start, whole
        pending, start = [], 0
