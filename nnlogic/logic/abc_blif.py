"""BLIF in and out: the language nnlogic speaks with ABC and Yosys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce

from nnlogic.core.errors import IRError
from nnlogic.logic.cone import Cone
from nnlogic.logic.ir import LogicNet
from nnlogic.logic.rewrite import cone_of
from nnlogic.logic.truth import full, projection

MAX_READ = 16


def write_blif(
    net: LogicNet | Cone,
    name: str = "net",
    *,
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
    node: str = "n",
) -> str:
    """Return a network as BLIF text.

    Inputs are named ``x<bit>``, outputs ``y<bit>`` unless names are given, nodes
    ``<node><number>``; bits are numbered as in the network, port by port, LSB first.
    """
    cone = net if isinstance(net, Cone) else cone_of(net)
    n_in = cone.n_inputs
    x = [f"x{i}" for i in range(n_in)] if inputs is None else list(inputs)
    y = [f"y{i}" for i in range(len(cone.outputs))] if outputs is None else list(outputs)
    lines = [f".model {name}", *_wrapped(".inputs", x), *_wrapped(".outputs", y)]
    names = x + [f"{node}{i}" for i in range(cone.n_nodes)]
    for i, (fanin, table) in enumerate(zip(cone.fanins, cone.tables, strict=True)):
        lines.append(" ".join([".names", *(names[s] for s in fanin), names[n_in + i]]))
        lines += _rows(table, len(fanin))
    for output, s in zip(y, cone.outputs, strict=True):
        lines += [f".names {names[s]} {output}", "1 1"]
    return "\n".join([*lines, ".end", ""])


def _rows(table: int, n: int) -> list[str]:
    if n == 0:
        return ["1"] if table else []
    ones = table.bit_count()
    if ones in (0, 1 << n):
        return [] if not ones else ["-" * n + " 1"]
    value = 1 if 2 * ones <= 1 << n else 0
    return [
        "".join(str((index >> b) & 1) for b in range(n)) + f" {value}"
        for index in range(1 << n)
        if (table >> index) & 1 == value
    ]


def _wrapped(head: str, words: Sequence[str], width: int = 16) -> list[str]:
    lines = [head]
    for at in range(0, len(words), width):
        lines[-1] += " \\"
        lines.append("  " + " ".join(words[at : at + width]))
    return lines


def read_blif(text: str) -> Cone:
    """Read a combinational BLIF network of ``.names`` nodes.

    Inputs and outputs keep their order; nodes are sorted topologically. Buffers that only
    rename a signal are kept as nodes (`propagate_constants` folds them).

    Raises
    ------
    IRError
        Latches, subcircuits, undefined or doubly defined signals, cycles, malformed cubes.
    """
    inputs, outputs, nodes = _parse(text)
    number = {name: i for i, name in enumerate(inputs)}
    if len(number) != len(inputs):
        raise IRError("an input is declared twice", where="BLIF")
    order = _topological(number, nodes)
    for i, name in enumerate(order):
        number[name] = len(inputs) + i
    missing = [name for name in outputs if name not in number]
    if missing:
        raise IRError("an output has no driver", where="BLIF", why=", ".join(missing[:5]))
    return Cone(
        len(inputs),
        tuple(tuple(number[s] for s in nodes[name][0]) for name in order),
        tuple(_table(name, *nodes[name]) for name in order),
        tuple(number[name] for name in outputs),
    )


Nodes = dict[str, tuple[list[str], list[str]]]


def _parse(text: str) -> tuple[list[str], list[str], Nodes]:
    inputs: list[str] = []
    outputs: list[str] = []
    nodes: Nodes = {}
    rows: list[str] | None = None
    for line in _logical_lines(text):
        words = line.split()
        if words[0] == ".inputs":
            inputs += words[1:]
        elif words[0] == ".outputs":
            outputs += words[1:]
        elif words[0] == ".names":
            if len(words) < 2 or words[-1] in nodes or words[-1] in inputs:
                raise IRError("a signal is defined twice", where="BLIF", why=line)
            rows = []
            nodes[words[-1]] = (words[1:-1], rows)
        elif words[0] == ".end":
            break
        elif words[0] == ".model":
            continue
        elif words[0].startswith("."):
            raise IRError("not a combinational BLIF network", where="BLIF", why=line)
        elif rows is None:
            raise IRError("a cube outside any node", where="BLIF", why=line)
        else:
            rows.append(line)
    return inputs, outputs, nodes


def _logical_lines(text: str) -> Iterator[str]:
    pending = ""
    for raw in text.splitlines():
        line = raw.split("#", 1)[0].rstrip()
        if line.endswith("\\"):
            pending += line[:-1] + " "
            continue
        line = (pending + line).strip()
        pending = ""
        if line:
            yield line


def _topological(known: dict[str, int], nodes: Nodes) -> list[str]:
    order: list[str] = []
    done = set(known)
    for root in nodes:
        stack = [root]
        open_nodes: set[str] = set()
        while stack:
            name = stack[-1]
            if name in done:
                stack.pop()
                continue
            if name not in nodes:
                raise IRError("a signal has no driver", where="BLIF", why=name)
            waiting = [s for s in nodes[name][0] if s not in done]
            if not waiting:
                done.add(name)
                order.append(name)
                stack.pop()
            elif name in open_nodes:
                raise IRError("a combinational cycle", where="BLIF", why=name)
            else:
                open_nodes.add(name)
                stack += waiting
    return order


def _table(name: str, fanin: list[str], rows: list[str]) -> int:
    n = len(fanin)
    if n > MAX_READ:
        raise IRError(f"a node has {n} inputs, limit {MAX_READ}", where="BLIF", why=name)
    covered = 0
    values = set()
    for row in rows:
        words = row.split()
        cube = words[0] if len(words) == 2 else ""
        value = words[-1]
        if len(words) > 2 or len(cube) != n or value not in "01" or cube.strip("01-"):
            raise IRError("a malformed cube", where=f"BLIF, node {name}", why=row)
        values.add(value)
        literals = (
            projection(n, b) if c == "1" else full(n) ^ projection(n, b)
            for b, c in enumerate(cube)
            if c != "-"
        )
        covered |= reduce(int.__and__, literals, full(n))
    if len(values) > 1:
        raise IRError("cubes of both phases in one node", where=f"BLIF, node {name}")
    return covered ^ full(n) if values == {"0"} else covered
