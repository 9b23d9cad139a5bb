"""TableNet against a TableNet with fewer tables, inputs and bits: the proof of simplification.

Blocks are paired by origin. Every bit of the second network is said to be a bit of the first:
simulation proposes which, and an induction in topological order proves it. A table of the second
network reads bits that stand for bits of the first; wherever it would then differ from the table
it is paired with, that combination is *claimed* not to occur in the first network. The claims
are proved together, as those of care sets are.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from nnlogic.checks.care import Claim, prove_claims
from nnlogic.core.bits import Bools, Words, pack, pack_ports, random_codes, unpack
from nnlogic.core.formats import IntArray
from nnlogic.tables.evaluate import trace_bits
from nnlogic.tables.ir import Block, Instance, TableNet, block_inputs

SAMPLES = 4096
ROUNDS = 16  # pairings tried, each with a row that refuted the one before
WIDEST = 18  # signals of a claim


@dataclass
class TablesProof:
    """What was proved.

    Attributes
    ----------
    tables : int
        Tables of the second network, all paired with one of the first.
    claims : int
        Tables that agree only because some inputs never occur.
    gap : str
        Why nothing is proved; empty when the networks are equal.
    difference : tuple of (where, detail), or None
        A combination that occurs and on which paired tables differ. The networks may still be
        equal at their outputs.
    """

    tables: int = 0
    claims: int = 0
    gap: str = ""
    difference: tuple[str, str] | None = None


@dataclass
class _Pairing:
    before: TableNet
    after: TableNet
    stands_for: dict[int, int]
    claims: list[Claim] = field(default_factory=list)


def prove_simplified(before: TableNet, after: TableNet, *, timeout: float = 600) -> TablesProof:
    """Prove that two networks with equal ports compute the same outputs.

    Care sets of `after` are not trusted here, and not used: both networks are taken as they
    evaluate. Care sets of `before` are not used either.

    Raises
    ------
    ToolFailed
        SAT came to no verdict.
    """
    rows = unpack(pack_ports(random_codes(before.inputs, SAMPLES), before.inputs), SAMPLES)
    blocks = {block.origin: block for block in before.blocks}
    if len(blocks) < len(before.blocks):
        return TablesProof(gap="two blocks have the same origin")
    for _ in range(ROUNDS):
        pairing, proof = _paired(before, after, blocks, rows)
        if proof.gap or not pairing.claims:
            return proof
        wrong = prove_claims(before, pairing.claims, timeout=timeout)
        if wrong is None:
            return proof
        proof.difference = wrong.claim.where, f"values {wrong.index} of its inputs occur"
        # Bits that differ so rarely may have been paired wrongly: look again with this row.
        rows = np.concatenate([rows, wrong.row[:, None]], axis=1)
    return proof


def _paired(
    before: TableNet, after: TableNet, blocks: dict[str, Block], rows: Bools
) -> tuple[_Pairing, TablesProof]:
    """Pair all blocks and output bits, judging by some rows."""
    proof = TablesProof()
    pairing = _Pairing(before, after, {s: s for s in range(before.n_inputs)})
    old, new = pack(trace_bits(before, rows)), pack(trace_bits(after, rows))
    for block in after.blocks:
        why = _pair(pairing, blocks.get(block.origin), block, old, new)
        if why:
            proof.gap = f"{block.origin}: {why}"
            return pairing, proof
        proof.tables += 1
    for a, b in zip(before.output_signals, after.output_signals, strict=True):
        _same(pairing, "outputs", a, pairing.stands_for[b])
    proof.claims = len(pairing.claims)
    return pairing, proof


def _same(pairing: _Pairing, where: str, a: int, b: int) -> None:
    """Claim that two signals of the first network are equal."""
    if a != b:
        pairing.claims.append(Claim(where, (a, b), np.array([1, 2])))


def _pair(
    pairing: _Pairing,
    old_block: Block | None,
    new_block: Block,
    old: Words,
    new: Words,
) -> str:
    """Add what one block of the second network computes; return why that is not possible."""
    if old_block is None or type(old_block) is not type(new_block):
        return "no such block in the first network"
    reads = tuple(pairing.stands_for[s] for s in block_inputs(new_block))
    if not isinstance(old_block, Instance) or not isinstance(new_block, Instance):
        return _pair_arithmetic(pairing, old_block, new_block, reads)
    signals = tuple(dict.fromkeys((*old_block.inputs, *reads)))
    if len(signals) > WIDEST:
        return f"{len(signals)} signals are too many to compare"
    index = np.arange(1 << len(signals))
    place = {s: i for i, s in enumerate(signals)}
    was = pairing.before.functions[old_block.function].table()
    now = pairing.after.functions[new_block.function].table()
    was, now = was[:, _look(index, place, old_block.inputs)], now[:, _look(index, place, reads)]
    likely = [
        {
            b: int((was[b] != table).sum())
            for b, before in enumerate(old_block.outputs)
            if np.array_equal(old[before], new[signal])
        }
        for signal, table in zip(new_block.outputs, now, strict=True)
    ]
    chosen = _in_order(likely)
    if chosen is None:
        return "its output bits are none of the first network's"
    wrong = (was[list(chosen)] != now).any(axis=0)
    for b, signal in zip(chosen, new_block.outputs, strict=True):
        pairing.stands_for[signal] = old_block.outputs[b]
    if wrong.any():
        pairing.claims.append(Claim(new_block.origin, signals, np.flatnonzero(wrong)))
    return ""


def _in_order(likely: list[dict[int, int]]) -> tuple[int, ...] | None:
    """Choose a bit of the first network for each of the second, of least cost in all.

    Parameters
    ----------
    likely : list of dict
        Per bit of the second network, the bits it may be, with their costs.

    Returns
    -------
    tuple of int or None
        Increasing, as outputs keep their order; None where there is no such choice.
    """
    paths: dict[int, tuple[int, tuple[int, ...]]] = {-1: (0, ())}
    for costs in likely:
        found = {}
        for bit, cost in costs.items():
            before = [path for last, path in paths.items() if last < bit]
            if before:
                total, chosen = min(before)
                found[bit] = total + cost, (*chosen, bit)
        paths = found
    return min(paths.values())[1] if paths else None


def _pair_arithmetic(
    pairing: _Pairing, old_block: Block, new_block: Block, reads: tuple[int, ...]
) -> str:
    for name in ("weights", "bias", "thresholds"):
        if getattr(old_block, name, None) != getattr(new_block, name, None):
            return f"other {name}"
    if isinstance(old_block, Instance) or isinstance(new_block, Instance):
        return "a table stands for arithmetic"
    words = [(len(w.signals), w.signed) for w in old_block.words]
    if words != [(len(w.signals), w.signed) for w in new_block.words]:
        return "other operand formats"
    if old_block.result.format != new_block.result.format:
        return "another result format"
    for a, b in zip(block_inputs(old_block), reads, strict=True):
        _same(pairing, new_block.origin, a, b)
    pairing.stands_for.update(zip(new_block.outputs, old_block.outputs, strict=True))
    return ""


def _look(index: IntArray, place: dict[int, int], signals: tuple[int, ...]) -> IntArray:
    """Return the table index over some of the signals."""
    out = np.zeros(len(index), dtype=np.int64)
    for pin, signal in enumerate(signals):
        out |= ((index >> place[signal]) & 1) << pin
    return out
