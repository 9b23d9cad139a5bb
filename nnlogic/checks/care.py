"""Check that the don't-cares of a TableNet are what they claim to be.

Proofs that look at one table at a time skip inputs outside its care set. That is sound only if
they cannot occur, so the claim is derived again here, from the tables themselves, and not with
what made it: what single producers can emit excludes the easy ones, and all others together are
one question for SAT on the whole network.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from nnlogic.checks.gates import ONE, ZERO, Gates
from nnlogic.checks.reference import add_block
from nnlogic.core.bits import Bools, pack_ports, random_codes, unpack
from nnlogic.core.errors import ToolFailed
from nnlogic.core.formats import IntArray
from nnlogic.tables.evaluate import gather_index, trace_bits
from nnlogic.tables.ir import Block, Instance, TableNet, block_inputs
from nnlogic.tools.abc import prove_equal

EXACT = "exact SDC"
SAMPLES = 4096


@dataclass(frozen=True, eq=False)
class Claim:
    """Values of some signals that are said not to occur together.

    Attributes
    ----------
    where : str
        For messages.
    signals : tuple of int
    indices : int64 array
        First signal in bit 0.
    """

    where: str
    signals: tuple[int, ...]
    indices: IntArray


@dataclass(frozen=True, eq=False)
class Violation:
    """A claim that is wrong: which, the values that occur, and for what input bits."""

    claim: Claim
    index: int
    row: Bools


def unjustified_care(net: TableNet, *, timeout: float = 600) -> tuple[str, str] | None:
    """Find an excluded input that can occur.

    The argument is an induction in topological order. As long as all earlier tables were read
    on their care sets, they emit what they emit there, so an index is a combination of such
    codes; SAT shows, on the network as it evaluates, that it is none of the claims either.

    Parameters
    ----------
    net : TableNet
    timeout : float
        Seconds for SAT, which is asked only where the codes of single producers do not decide.

    Returns
    -------
    (where, detail) of the first violation, or None when every "exact SDC" holds.

    Raises
    ------
    ToolFailed
        SAT came to no verdict.
    """
    claims = claims_of(net)
    found = prove_claims(net, claims, timeout=timeout) if claims else None
    if found is None:
        return None
    return found.claim.where, f"input {found.index} can occur, but is not in the care set"


def prove_claims(
    net: TableNet, claims: Sequence[Claim], *, timeout: float = 600
) -> Violation | None:
    """Prove that none of some values occurs in the network as it evaluates.

    Returns
    -------
    Violation
        One that does, or None.

    Raises
    ------
    ToolFailed
        SAT came to no verdict.
    """
    rows = unpack(pack_ports(random_codes(net.inputs, SAMPLES), net.inputs), SAMPLES)
    return _violated(net, claims, rows) or _satisfied(net, claims, timeout)


def claims_of(net: TableNet) -> list[Claim]:
    """Return what the codes of single producers do not show unreachable, yet is excluded."""
    producer = {s: block for block in net.blocks for s in block.outputs}
    emitted: dict[int, IntArray] = {}
    claims = []
    for block in net.blocks:
        if not isinstance(block, Instance):
            continue
        function = net.functions[block.function]
        care = function.care_bools()
        if function.justification == EXACT:
            possible = _possible(block, producer, emitted)
            missing = possible[~care[possible]]
            if missing.size:
                claims.append(Claim(block.origin, block.inputs, np.sort(missing)))
        table = function.table()[:, care].astype(np.int64)
        codes = (table << np.arange(function.n_outputs)[:, None]).sum(axis=0)
        emitted[block.outputs[0]] = np.unique(codes)
    return claims


def _possible(
    block: Instance, producer: dict[int, Block], emitted: dict[int, IntArray]
) -> IntArray:
    """Return every table index that can occur, as far as single producers tell."""
    groups: dict[int, list[tuple[int, int]]] = {}
    for pin, signal in enumerate(block.inputs):
        source = producer.get(signal)
        if source is not None and source.outputs[0] in emitted:
            groups.setdefault(source.outputs[0], []).append((pin, source.outputs.index(signal)))
        else:
            groups.setdefault(signal, []).append((pin, 0))
    total = np.zeros(1, dtype=np.int64)
    for first, pins in groups.items():
        codes = emitted.get(first, np.arange(2))
        parts = np.zeros(len(codes), dtype=np.int64)
        for pin, place in pins:
            parts |= ((codes >> place) & 1) << pin
        total = (total[:, None] | np.unique(parts)[None, :]).ravel()
    return total


def _violated(net: TableNet, claims: Sequence[Claim], inputs: Bools) -> Violation | None:
    """Look for violations on given input bits, shape (input bits, samples)."""
    values = trace_bits(net, inputs)
    for claim in claims:
        index = gather_index(values, claim.signals)
        hit = np.intersect1d(index, claim.indices)
        if hit.size:
            at = int(np.flatnonzero(index == hit[0])[0])
            return Violation(claim, int(hit[0]), inputs[:, at])
    return None


def _satisfied(net: TableNet, claims: Sequence[Claim], timeout: float) -> Violation | None:
    """Ask SAT for an input that violates a claim."""
    gates, nets = _cone(net, {s for claim in claims for s in claim.signals})
    never = Gates(list(gates.inputs))
    for i, claim in enumerate(claims):
        pins = [nets[s] for s in claim.signals]
        table = np.zeros(1 << len(pins), dtype=bool)
        table[claim.indices] = True
        gates.output(f"never{i}", _tree(gates, pins, table, {}))
        never.output(f"never{i}", ZERO)
    equal, said = prove_equal(gates.text(), never.text(), timeout=timeout)
    if equal:
        return None
    row = np.zeros((net.n_inputs, 1), dtype=bool)
    for signal, value in re.findall(r"\bx(\d+) = 1'h([01])", said):
        row[int(signal)] = value == "1"
    found = _violated(net, claims, row)
    if found is None:
        raise ToolFailed("abc shows a violation that is none", where="cec", why=said[-500:])
    return found


def _cone(net: TableNet, signals: Iterable[int]) -> tuple[Gates, dict[int, str]]:
    """Build what some signals depend on, from the input bits on."""
    needed = set(signals)
    for block in reversed(net.blocks):
        if needed.intersection(block.outputs):
            needed.update(block_inputs(block))
    gates = Gates([f"x{i}" for i in range(net.n_inputs)])
    nets = dict(enumerate(gates.inputs))
    for block in net.blocks:
        if not needed.intersection(block.outputs):
            continue
        if isinstance(block, Instance):
            pins = [nets[s] for s in block.inputs]
            memo: dict[bytes, str] = {}
            table = net.functions[block.function].table()
            outs = [_tree(gates, pins, bits, memo) for bits in table]
        else:
            outs = add_block(gates, block, nets)
        nets.update(zip(block.outputs, outs, strict=True))
    return gates, nets


def _tree(gates: Gates, pins: Sequence[str], table: Bools, memo: dict[bytes, str]) -> str:
    """Add a truth table as multiplexers, equal parts once: smaller than a cover, for SAT."""
    if not table.any():
        return ZERO
    if table.all():
        return ONE
    half = len(table) // 2
    low, high = table[:half], table[half:]
    if np.array_equal(low, high):
        return _tree(gates, pins[:-1], low, memo)
    key = table.tobytes()
    if key not in memo:
        one = _tree(gates, pins[:-1], high, memo)
        zero = _tree(gates, pins[:-1], low, memo)
        memo[key] = gates.mux(pins[-1], one, zero)
    return memo[key]
