"""Choose the strongest comparison for a pair of stages."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from nnlogic.checks.care import unjustified_care
from nnlogic.checks.care_tables import TablesProof, prove_simplified
from nnlogic.checks.cones import ConeProof, prove_cones
from nnlogic.checks.neurons import Difference, Matched, Unmatched, compare_neurons
from nnlogic.checks.sampling import Stage, compare_samples
from nnlogic.checks.verdict import Verdict
from nnlogic.core import bits
from nnlogic.core.errors import IRError, ToolFailed, TooWide, UnsupportedModel, UsageError
from nnlogic.core.formats import IntArray
from nnlogic.core.progress import SILENT, Progress
from nnlogic.core.stages import kind_of
from nnlogic.design.ir import HardwareDesign
from nnlogic.logic.ir import LogicNet
from nnlogic.quant.ir import QuantNet
from nnlogic.tables.build import tabulate
from nnlogic.tables.ir import MAX_INPUTS, TableNet

ORDER = (QuantNet, TableNet, LogicNet, HardwareDesign)
COPIES = 1 << 14
"""Tables of copies that are enumerated only to compare with them."""
WHOLE_SECONDS = 30
"""For whole networks by SAT where cones leave a gap: it is quick or does not come to an end."""


def compare(
    left: Stage,
    right: Stage,
    *,
    codes: IntArray | None = None,
    samples: int = 4096,
    seed: int = 0,
    timeout: float = 600,
    progress: Progress = SILENT,
) -> Verdict:
    """Compare two stages; see `nnlogic.checks.check`."""
    start = time.monotonic()
    for stage in (left, right):
        if not isinstance(stage, ORDER):
            raise UsageError(
                "cannot compare this",
                why=f"got {kind_of(stage)}",
                fix="pass two of QuantNet, TableNet, LogicNet, HardwareDesign",
            )
    a, b = sorted((left, right), key=lambda stage: ORDER.index(type(stage)))
    ports = _ports(a, b)
    if ports is not None:
        return ports.timed(start)
    count = bits.sample_count(len(a.inputs), samples)
    rows = bits.random_codes(a.inputs, count, seed) if codes is None else codes
    if isinstance(a, QuantNet) and isinstance(b, TableNet):
        verdict = _quant_tables(a, b, rows, timeout, progress)
    elif isinstance(a, TableNet) and isinstance(b, TableNet):
        verdict = _tables_tables(a, b, rows, timeout)
    elif isinstance(a, TableNet) and isinstance(b, LogicNet):
        verdict = _tables_logic(a, b, rows, timeout, progress)
    elif isinstance(a, LogicNet) and isinstance(b, LogicNet):
        verdict = _logic_logic(a, b, rows, timeout)
    elif isinstance(a, LogicNet) and isinstance(b, HardwareDesign):
        verdict = _logic_design(a, b, rows)
    else:
        verdict = compare_samples(a, b, rows)
    return verdict.timed(start)


def _ports(a: Stage, b: Stage) -> Verdict | None:
    for what, left, right in (("input", a.inputs, b.inputs), ("output", a.outputs, b.outputs)):
        if left != right:
            at = next((i for i, p in enumerate(zip(left, right, strict=False)) if p[0] != p[1]), -1)
            shown = f"{left[at]} and {right[at]}" if at >= 0 else f"{len(left)} and {len(right)}"
            return Verdict(a.kind, b.kind, False, "exhaustive", f"ports {shown}", f"{what} ports")
    return None


def _quant_tables(
    a: QuantNet, b: TableNet, rows: IntArray, timeout: float, progress: Progress
) -> Verdict:
    try:
        found = compare_neurons(a, b, progress)
    except Unmatched as gap:
        return _by_tables(a, b, rows, str(gap), timeout, progress)
    return _of_neurons(a, b, found)


def _of_neurons(a: QuantNet, b: TableNet, found: Matched | Difference) -> Verdict:
    if isinstance(found, Difference):
        return Verdict(a.kind, b.kind, False, "exhaustive", found.detail, found.where)
    detail = f"{found.neurons} neurons on {found.combinations} input combinations"
    if found.arithmetic:
        detail += f", {found.arithmetic} arithmetic blocks by their parameters"
    detail += ", wiring"
    if found.direct:
        detail += f"; {', '.join(found.direct)} by evaluating the layer, for want of a checker"
    return Verdict(a.kind, b.kind, True, "exhaustive", detail)


def _by_tables(
    a: QuantNet, b: TableNet, rows: IntArray, gap: str, timeout: float, progress: Progress
) -> Verdict:
    """Compare with tables that are no neurons: by those of the neurons, enumerated anew."""
    sampled = compare_samples(a, b, rows)
    if not sampled.equal:
        return sampled
    try:
        own = tabulate(a, limit=MAX_INPUTS, arith="auto", unroll=COPIES)
        first = _of_neurons(a, own, compare_neurons(a, own, progress))
        second = _tables_tables(own, b, rows, timeout)
    except (TooWide, UnsupportedModel, Unmatched) as error:
        return replace(sampled, detail=f"not exhaustive: {gap}; {error}")
    if second.how != "proved":
        return replace(sampled, detail=f"not exhaustive: {gap}; {second.detail}")
    equal, where = first.equal and second.equal, first.where or second.where
    return Verdict(a.kind, b.kind, equal, "proved", f"{first.detail}; then {second.detail}", where)


def _tables_tables(a: TableNet, b: TableNet, rows: IntArray, timeout: float) -> Verdict:
    try:
        proof = prove_simplified(a, b, timeout=timeout)
    except ToolFailed as error:
        proof = TablesProof(gap=error.what)
    if not proof.gap and proof.difference is None:
        detail = f"{proof.tables} tables paired, {proof.claims} of them by SAT where they differ"
        return Verdict(a.kind, b.kind, True, "proved", detail)
    sampled = compare_samples(a, b, rows)
    if not sampled.equal:
        return sampled
    inside = f"{proof.difference[0]} differs inside" if proof.difference else ""
    return _whole(a, b, sampled, proof.gap or inside, min(timeout, WHOLE_SECONDS))


def _tables_logic(
    a: TableNet, b: LogicNet, rows: IntArray, timeout: float, progress: Progress
) -> Verdict:
    try:
        wrong = unjustified_care(a, timeout=timeout)
        if wrong is not None:
            return Verdict(a.kind, b.kind, False, "exhaustive", wrong[1], wrong[0])
        proof = prove_cones(a, b, timeout=timeout, progress=progress)
    except ToolFailed as error:
        proof = ConeProof(gap=error.what)
    if not proof.gap and not proof.unproved and proof.difference is None:
        return Verdict(a.kind, b.kind, True, "proved", _counts(proof))
    sampled = compare_samples(a, b, rows)
    if proof.unproved and sampled.equal and not proof.gap and proof.difference is None:
        # What is out of reach for one block is so for the whole network.
        return replace(sampled, detail=proof.unproved)
    if proof.difference:
        where, detail = proof.difference
        sampled = replace(sampled, where=where, detail=f"{detail}; {sampled.detail}".rstrip("; "))
    if not sampled.equal:
        return replace(sampled, how="exhaustive") if proof.difference else sampled
    why = proof.gap or f"the cone of {sampled.where} differs"
    return _whole(a, b, sampled, why, min(timeout, WHOLE_SECONDS))


def _counts(proof: ConeProof) -> str:
    small = proof.distinct - proof.by_sat - proof.by_certificate
    text = f"{proof.cones} cones, {proof.distinct} distinct: {small} exhaustive"
    if proof.care:
        text += " on the care set (exact SDC)"
    if proof.by_certificate:
        text += f", {proof.by_certificate} by the certificate of their sum or argmax"
    return text + (f", {proof.by_sat} by SAT" if proof.by_sat else "")


def _whole(
    a: TableNet | LogicNet, b: TableNet | LogicNet, sampled: Verdict, gap: str, timeout: float
) -> Verdict:
    """Prove whole networks equal by SAT; fall back to the samples when there is no verdict."""
    from nnlogic.checks.whole import prove_whole

    try:
        equal, said = prove_whole(a, b, timeout=timeout)
    except ToolFailed as error:
        return replace(sampled, detail=f"no proof: {error.what}; {gap}".rstrip("; "))
    last = said.splitlines()[-1] if said else ""
    detail = "; ".join(t for t in ("whole network by SAT", gap, "" if equal else last) if t)
    where = "" if equal else sampled.where or "outputs"
    return Verdict(a.kind, b.kind, equal, "proved", detail, where)


def _logic_logic(a: LogicNet, b: LogicNet, rows: IntArray, timeout: float) -> Verdict:
    sampled = compare_samples(a, b, rows)
    return _whole(a, b, sampled, "", timeout) if sampled.equal else sampled


def _logic_design(a: LogicNet, b: HardwareDesign, rows: IntArray) -> Verdict:
    try:
        b.verify()
    except IRError as error:
        return Verdict(a.kind, b.kind, False, "exhaustive", error.text(), "pipeline rules")
    part = _differing_part(a, b.logic)
    if part:
        return Verdict(a.kind, b.kind, False, "exhaustive", "the logic inside differs", part)
    verdict = compare_samples(a, b, rows)
    if not verdict.equal:
        return verdict
    return replace(verdict, detail="cycle model; the same logic node by node, pipeline balanced")


def _differing_part(a: LogicNet, b: LogicNet) -> str:
    if a is b:
        return ""
    if a.fanins.shape != b.fanins.shape:
        return "number of nodes"
    moved = np.flatnonzero((a.fanins != b.fanins).any(axis=1) | (a.tables != b.tables))
    if moved.size:
        return f"node {int(moved[0])}, {a.origins[moved[0]]}"
    return "" if a.output_signals == b.output_signals else "output signals"
