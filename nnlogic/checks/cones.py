"""TableNet against LogicNet: the cone of every table, on every combination of its inputs.

`LogicNet.cuts` says which signal carries each signal of the TableNet. The proof is an induction
in topological order: the input ports are the same signals; if all inputs of a block are carried
right, and the cone between its input cuts and output cuts computes its table on the care set,
its outputs are carried right. The induction needs care sets that exclude nothing that occurs:
`nnlogic.checks.care` derives that first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from nnlogic.checks.wide import WideCone
from nnlogic.core.bits import Bools
from nnlogic.core.progress import SILENT, Progress
from nnlogic.logic.ir import LogicNet
from nnlogic.tables.evaluate import block_values
from nnlogic.tables.ir import Block, Instance, TableNet, block_inputs

WIDEST = 16  # block inputs that are enumerated; for wider blocks see `nnlogic.checks.wide`
UNPROVED = "unproved: "


@dataclass
class ConeProof:
    """What was proved.

    Attributes
    ----------
    cones, distinct, by_certificate, by_sat : int
        Blocks covered, cones really compared, and how many of those by the certificate of a sum
        or an argmax, or by SAT alone.
    care : bool
        Whether some care set was smaller than everything.
    difference : tuple of (where, detail), or None
        The first cone that does not compute its block.
    gap : str
        Why the induction does not cover the network; empty when it does.
    unproved : str
        The first arithmetic block for which limits were reached before a verdict.
    """

    cones: int = 0
    distinct: int = 0
    by_certificate: int = 0
    by_sat: int = 0
    care: bool = False
    difference: tuple[str, str] | None = None
    gap: str = ""
    unproved: str = ""
    _seen: dict[bytes, str] = field(default_factory=dict, repr=False)


def prove_cones(
    tables: TableNet, logic: LogicNet, *, timeout: float = 600, progress: Progress = SILENT
) -> ConeProof:
    """Prove the LogicNet equal to the TableNet, block by block.

    Returns
    -------
    ConeProof
        A proof of equality when none of `difference`, `gap` and `unproved` is set.
    """
    proof = ConeProof(gap=_gap(tables, logic))
    if proof.gap:
        return proof
    constants = _constants(tables)
    with progress.step("prove cones", total=len(tables.blocks)) as step:
        for block in tables.blocks:
            cone = _Cone.of(tables, logic, block, constants)
            if isinstance(cone, str):
                proof.gap = proof.gap or f"{block.origin}: {cone}"
            elif cone is not None:
                _prove(cone, tables, logic, proof, timeout)
                proof.cones += 1
            step.advance(1, block.origin)
            if proof.difference:
                break
    return proof


def _gap(tables: TableNet, logic: LogicNet) -> str:
    if len(logic.cuts) != tables.n_signals:
        return "no cut points"
    if not np.array_equal(logic.cuts[: tables.n_inputs], np.arange(tables.n_inputs)):
        return "input bits are not cut points"
    carried = logic.cuts[list(tables.output_signals)]
    moved = np.flatnonzero(carried != np.array(logic.output_signals))
    if moved.size:
        return f"output bit {int(moved[0])} is not the cut point of its table"
    unsound = {f.justification for f in tables.functions} - {"", "exact SDC"}
    return f"care sets from {', '.join(sorted(unsound))}" if unsound else ""


def _constants(tables: TableNet) -> dict[int, int]:
    """Signals that a table drives with one value, for all it cares for and can read.

    A copy of a kernel may read constants, such as padding, or one signal twice, where others do
    not.
    """
    out: dict[int, int] = {}
    known: dict[tuple[int, tuple[tuple[int, int], ...]], list[tuple[int, int]]] = {}
    for block in tables.instances:
        first: dict[int, int] = {}
        pins = tuple(
            (first.setdefault(s, pin), out.get(s, -1)) for pin, s in enumerate(block.inputs)
        )
        key = block.function, pins
        if key not in known:
            function = tables.functions[block.function]
            care, index = function.care_bools(), np.arange(1 << function.n_inputs)
            for pin, (twin, value) in enumerate(pins):
                bit = index >> pin & 1
                care = care & (bit == (value if value >= 0 else index >> twin & 1))
            cared = function.table()[:, care]
            known[key] = [
                (b, int(bits.all())) for b, bits in enumerate(cared) if bits.all() or not bits.any()
            ]
        out.update((block.outputs[b], value) for b, value in known[key])
    return out


@dataclass(frozen=True)
class _Cone:
    """A block and the nodes that should compute it.

    Attributes
    ----------
    pins : tuple
        Per block input: the LogicNet signal that carries it, -1 when nothing does.
    fixed : tuple
        Per block input: its value where it can only have one, else -1.
    roots : tuple of (output bit, LogicNet signal)
    nodes : tuple of int
        LogicNet signals between the pins and the roots, in topological order.
    """

    block: Block
    pins: tuple[int, ...]
    fixed: tuple[int, ...]
    roots: tuple[tuple[int, int], ...]
    nodes: tuple[int, ...]

    @staticmethod
    def of(
        tables: TableNet, logic: LogicNet, block: Block, constants: dict[int, int]
    ) -> _Cone | str | None:
        """Extract the cone; None when nothing uses the block, text when it cannot be cut out."""
        carried = [(b, int(logic.cuts[s])) for b, s in enumerate(block.outputs)]
        roots = tuple((b, s) for b, s in carried if s >= 0)
        if not roots:
            return None
        inputs = block_inputs(block)
        pins = tuple(int(logic.cuts[s]) for s in inputs)
        fixed = tuple(
            constants.get(s, -1) if pin < 0 else _constant_node(logic, pin)
            for s, pin in zip(inputs, pins, strict=True)
        )
        nodes = _between(logic, pins, [s for _, s in roots])
        if isinstance(nodes, str):
            return nodes
        return _Cone(block, pins, fixed, roots, nodes)

    def key(self, tables: TableNet, logic: LogicNet) -> bytes:
        """Return equal bytes for cones of equal blocks and equal shape."""
        number: dict[int, int] = {}
        for pin in self.pins:
            number.setdefault(pin, len(number))
        shape: list[int] = [*(number[p] for p in self.pins), *self.fixed]
        for signal in self.nodes:
            number[signal] = len(number)
            node = signal - logic.n_inputs
            shape.append(int(logic.tables[node].view(np.int64)))
            shape += [number.get(int(s), -1) for s in logic.fanins[node]]
        shape += [v for b, s in self.roots for v in (b, number[s])]
        return f"{_meaning(tables, self.block)} {shape}".encode()


def _meaning(tables: TableNet, block: Block) -> str:
    if isinstance(block, Instance):
        return tables.functions[block.function].digest
    widths = [(len(w.signals), w.signed) for w in block.words]
    order: dict[int, int] = {}
    pattern = [order.setdefault(s, len(order)) for s in block_inputs(block)]
    rest = [getattr(block, name, None) for name in ("weights", "bias", "thresholds")]
    return f"{type(block).__name__} {widths} {pattern} {rest} {len(block.outputs)}"


def _constant_node(logic: LogicNet, signal: int) -> int:
    node = signal - logic.n_inputs
    if node < 0 or logic.fan_in_counts[node]:
        return -1
    return int(logic.tables[node]) & 1


def _between(logic: LogicNet, pins: Sequence[int], roots: Sequence[int]) -> tuple[int, ...] | str:
    stop = set(pins)
    inside: set[int] = set()
    todo = [s for s in roots if s not in stop]
    while todo:
        signal = todo.pop()
        if signal in inside:
            continue
        node = signal - logic.n_inputs
        if node < 0:
            return f"its cone reads input bit {signal} beyond the cut points"
        inside.add(signal)
        row = logic.fanins[node][: logic.fan_in_counts[node]]
        todo += [int(s) for s in row if int(s) not in stop]
    return tuple(sorted(inside))


def _prove(
    cone: _Cone, tables: TableNet, logic: LogicNet, proof: ConeProof, timeout: float
) -> None:
    block = cone.block
    key = cone.key(tables, logic)
    if key not in proof._seen:
        proof.distinct += 1
        if len(cone.pins) <= WIDEST:
            proof._seen[key] = _enumerate(cone, tables, logic)
        else:
            proof._seen[key] = _wide(cone, logic, proof, timeout)
    if isinstance(block, Instance):
        proof.care |= tables.functions[block.function].care is not None
    if proof._seen[key].startswith("gap: "):
        proof.gap = proof.gap or f"{block.origin}: {proof._seen[key][5:]}"
    elif proof._seen[key].startswith(UNPROVED):
        why = proof._seen[key].removeprefix(UNPROVED)
        proof.unproved = proof.unproved or f"{block.origin} not proved: {why}"
    elif proof._seen[key]:
        proof.difference = (block.origin, proof._seen[key])


def _enumerate(cone: _Cone, tables: TableNet, logic: LogicNet) -> str:
    """Return what differs on some input combination, or empty text."""
    n = len(cone.pins)
    index = np.arange(1 << n)
    rows = ((index[None, :] >> np.arange(n)[:, None]) & 1).astype(bool)
    table, care = _expected(cone.block, tables, rows)
    leaves: dict[int, Bools] = {}
    for p, (pin, fixed) in enumerate(zip(cone.pins, cone.fixed, strict=True)):
        if fixed >= 0:
            care = care & (rows[p] == bool(fixed))
        if pin in leaves:
            care = care & (rows[p] == leaves[pin])
        elif pin >= 0:
            leaves[pin] = rows[p]
    # Only now is known what can occur, and with it which inputs do not matter.
    for p, (pin, fixed) in enumerate(zip(cone.pins, cone.fixed, strict=True)):
        if pin < 0 and fixed < 0:
            merged = _without(table, care, p)
            if merged is None:
                return f"gap: input bit {p} has no cut point, and matters"
            table, care = merged
    values = dict(leaves)
    for signal in cone.nodes:
        values[signal] = _node(logic, signal, values, len(index))
    for b, signal in cone.roots:
        wrong = np.flatnonzero((values[signal] != table[b]) & care)
        if wrong.size:
            i = int(wrong[0])
            return (
                f"output bit {b} at index {i} (of 2^{n}): expected {int(table[b][i])}, "
                f"got {int(values[signal][i])} ({wrong.size} entries differ)"
            )
    return ""


def _expected(block: Block, tables: TableNet, rows: Bools) -> tuple[Bools, Bools]:
    if isinstance(block, Instance):
        function = tables.functions[block.function]
        return function.table(), function.care_bools()
    place = {s: i for i, s in enumerate(dict.fromkeys(block_inputs(block)))}
    values = np.zeros((len(place), rows.shape[1]), dtype=bool)
    agree = np.ones(rows.shape[1], dtype=bool)
    seen: set[int] = set()
    for signal, row in zip(block_inputs(block), rows, strict=True):
        if signal in seen:
            agree &= values[place[signal]] == row
        else:
            values[place[signal]] = row
            seen.add(signal)
    words = tuple(replace(w, signals=tuple(place[s] for s in w.signals)) for w in block.words)
    raw = block_values(replace(block, words=words), values)
    return ((raw[None, :] >> np.arange(len(block.outputs))[:, None]) & 1).astype(bool), agree


def _without(table: Bools, care: Bools, pin: int) -> tuple[Bools, Bools] | None:
    """Make table and care set independent of a pin, or None where the pin matters."""
    shape = (-1, 2, 1 << pin)
    t, c = table.reshape(len(table), *shape), care.reshape(shape)
    both = c[:, 0] & c[:, 1]
    if ((t[:, :, 0] != t[:, :, 1]) & both).any():
        return None
    merged = np.where(c[:, 0], t[:, :, 0], t[:, :, 1])
    any_care = c[:, 0] | c[:, 1]
    return (
        np.stack([merged, merged], axis=2).reshape(table.shape),
        np.stack([any_care, any_care], axis=1).reshape(care.shape),
    )


def _node(logic: LogicNet, signal: int, values: dict[int, Bools], size: int) -> Bools:
    node = signal - logic.n_inputs
    index = np.zeros(size, dtype=np.uint8)
    for b, s in enumerate(logic.fanins[node][: logic.fan_in_counts[node]]):
        index |= values[int(s)].astype(np.uint8) << np.uint8(b)
    word = int(logic.tables[node])
    lut = np.array([word >> i & 1 for i in range(64)], dtype=bool)
    return lut[index]


def _wide(cone: _Cone, logic: LogicNet, proof: ConeProof, timeout: float) -> str:
    """Prove a wide arithmetic cone."""
    if isinstance(cone.block, Instance):
        return "gap: a table too wide to enumerate"
    if any(pin < 0 and fixed < 0 for pin, fixed in zip(cone.pins, cone.fixed, strict=True)):
        return "gap: an operand bit has no cut point"
    wide = WideCone(cone.block, cone.pins, cone.fixed, cone.roots, cone.nodes, logic)
    outcome = wide.prove(timeout)
    proof.by_certificate += outcome.how == "certificate"
    proof.by_sat += outcome.how == "SAT"
    return f"{UNPROVED}{outcome.unproved}" if outcome.unproved else outcome.difference
