"""Check that a LUT network is what a file of logic asked for, and that a written file holds it.

Nothing here trusts the minimizer, the reader or the writer: small networks are evaluated on every
input by their own short evaluator, wide ones go to ABC, and files are read by ABC or yosys.
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from nnlogic.checks.readback import Reading, exdc_apart, read_by_tool
from nnlogic.checks.verdict import Verdict
from nnlogic.core.bits import Bools, Words, index_words, pack, unpack
from nnlogic.core.errors import ToolFailed
from nnlogic.logic.abc_blif import write_blif
from nnlogic.logic.cone import Cone, ConeBuilder
from nnlogic.logic.formats.cover import Cover
from nnlogic.logic.formats.spec import Relaxed, Specification
from nnlogic.logic.support import Partial
from nnlogic.tables.ir import MAX_INPUTS
from nnlogic.tools.abc import prove_equal

MOST_ENUMERATED = 1 << 22
"""Input combinations of listed cubes that are enumerated; more are proved by SAT."""


def check_result(spec: Specification, cone: Cone, *, timeout: float = 600) -> Verdict:
    """Check a network against its specification.

    Tables, and networks of at most 16 inputs, are compared on every input; wider networks are
    proved by SAT; cubes by enumeration of what they list, or by SAT where that is too much.

    Raises
    ------
    ToolFailed
        ABC came to no verdict.
    """
    start = time.monotonic()
    content = spec.content
    if cone.n_inputs != len(spec.inputs) or len(cone.outputs) != len(spec.outputs):
        why = f"{cone.n_inputs} inputs and {len(cone.outputs)} outputs"
        verdict = Verdict(spec.name, "network", False, "exhaustive", why, "interface")
    elif isinstance(content, Partial):
        verdict = _check_table(spec, content, cone)
    elif isinstance(content, Cone):
        verdict = check_equal(spec.name, "network", content, cone, timeout)
    elif isinstance(content, Relaxed):
        verdict = _check_relaxed(spec.name, content, cone, timeout)
    else:
        verdict = _check_cover(spec, content, cone, timeout)
    return verdict.timed(start)


def check_file(
    data: bytes, suffix: str, spec: Specification, cone: Cone, *, timeout: float = 600
) -> Verdict:
    """Check that a file, as ABC or yosys read it, holds `cone` under the names of `spec`.

    Raises
    ------
    ToolNotFound, ToolFailed
        The tool cannot read the file, or came to no verdict.
    """
    start = time.monotonic()
    read = read_by_tool(data, suffix, timeout=timeout)
    found = _by_name(read, spec)
    if found is None:
        pairs = zip((*read.inputs, *read.outputs), (*spec.inputs, *spec.outputs), strict=False)
        why = next((f"{a} in place of {b}" for a, b in pairs if a != b), "another number of names")
        detail = f"{read.tool} reads {why}"
        return Verdict("network", suffix, False, "exhaustive", detail, "names").timed(start)
    verdict = check_equal("network", f"{suffix} as {read.tool} reads it", cone, found, timeout)
    return verdict.timed(start)


def check_reading(
    data: bytes, suffix: str, spec: Specification, *, timeout: float = 600
) -> Verdict:
    """Check that ABC reads the same network from an input file as nnlogic did.

    The don't-cares of a BLIF file are read as a network of their own.

    Raises
    ------
    ToolFailed
        ABC cannot read the file, or came to no verdict.
    """
    content = spec.content
    if isinstance(content, Relaxed):
        network, free = exdc_apart(data)
        verdict = _reading(network, suffix, spec, content.network, timeout)
        if not verdict.equal:
            return verdict
        second = _reading(free, suffix, spec, content.free, timeout)
        detail = f"{verdict.detail}; don't-cares: {second.detail}"
        return replace(second, detail=detail, seconds=verdict.seconds + second.seconds)
    if not isinstance(content, Cone):
        raise TypeError("only networks are read twice")
    return _reading(data, suffix, spec, content, timeout)


def _reading(
    data: bytes, suffix: str, spec: Specification, expected: Cone, timeout: float
) -> Verdict:
    read = read_by_tool(data, suffix, timeout=timeout)
    found = _by_name(read, spec) if suffix == ".aag" else read.cone
    if found is None:
        raise ToolFailed("a tool gave no names", where=read.tool, why="ports cannot be matched")
    left = f"{suffix} as {read.tool} reads it"
    if (found.n_inputs, len(found.outputs)) != (len(spec.inputs), len(spec.outputs)):
        why = f"{found.n_inputs} inputs and {len(found.outputs)} outputs"
        return Verdict(left, "network read", False, "exhaustive", why, "interface")
    return check_equal(left, "network read", expected, found, timeout)


def _check_relaxed(name: str, wanted: Relaxed, cone: Cone, timeout: float) -> Verdict:
    """Compare outside the don't-cares: on every input up to 16 of them, otherwise by SAT."""
    network, free = wanted.network, wanted.free
    n = cone.n_inputs
    if n <= MAX_INPUTS:
        words = index_words(n)
        care = unpack(~_evaluate(free, words), 1 << n)
        wrong = unpack(_evaluate(network, words) ^ _evaluate(cone, words), 1 << n) & care
        return _enumerated(name, "network", wrong, int(care.any(axis=0).sum()))
    sides = []
    for side in (network, cone):
        builder = ConeBuilder(n)
        values, opened = (builder.add(part, range(n)) for part in (side, free))
        sides.append(
            builder.cone([builder.lut(p, 0b0010) for p in zip(values, opened, strict=True)])
        )
    verdict = check_equal(name, "network", sides[0], sides[1], timeout)
    return replace(verdict, detail=f"{verdict.detail}, outside the don't-cares")


def _by_name(read: Reading, spec: Specification) -> Cone | None:
    """Return a network as read, its ports in the order of `spec`; yosys sorts those of AIGER."""
    if sorted(read.inputs) != sorted(spec.inputs) or sorted(read.outputs) != sorted(spec.outputs):
        return None
    place = {name: i for i, name in enumerate(spec.inputs)}
    signals = [place[name] for name in read.inputs]
    signals += range(read.cone.n_inputs, read.cone.n_inputs + read.cone.n_nodes)
    drivers = dict(zip(read.outputs, read.cone.outputs, strict=True))
    return Cone(
        read.cone.n_inputs,
        tuple(tuple(signals[s] for s in fanin) for fanin in read.cone.fanins),
        read.cone.tables,
        tuple(signals[drivers[name]] for name in spec.outputs),
    )


def check_equal(left: str, right: str, a: Cone, b: Cone, timeout: float) -> Verdict:
    """Compare two networks: on every input up to 16 of them, otherwise by SAT."""
    start = time.monotonic()
    if a.n_inputs <= MAX_INPUTS:
        n = a.n_inputs
        wrong = unpack(_evaluate(a, index_words(n)) ^ _evaluate(b, index_words(n)), 1 << n)
        return _enumerated(left, right, wrong, wrong.size // len(wrong)).timed(start)
    equal, said = prove_equal(write_blif(a), write_blif(b), timeout=timeout)
    detail = (
        f"{_counted(len(a.outputs), 'output')} by SAT" if equal else " ".join(said.split())[-300:]
    )
    verdict = Verdict(left, right, equal, "proved", detail, "" if equal else "outputs")
    return verdict.timed(start)


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' if count != 1 else ''}"


def _check_table(spec: Specification, part: Partial, cone: Cone) -> Verdict:
    n = len(part.inputs)
    got = unpack(_evaluate(cone, index_words(n)), 1 << n)
    wrong = (part.on & ~got) | (part.off & got)
    cared = int((part.on | part.off).any(axis=0).sum())
    return _enumerated(spec.name, "network", wrong, cared)


def _enumerated(left: str, right: str, wrong: Bools, cared: int) -> Verdict:
    bad = np.argwhere(wrong)
    if len(bad):
        output, index = (int(v) for v in bad[0])
        where = f"output {output}, input combination {index}"
        return Verdict(left, right, False, "exhaustive", f"{len(bad)} entries differ", where)
    outputs = _counted(len(wrong), "output")
    detail = f"{outputs} on {cared:,} of {wrong.shape[1]:,} input combinations"
    return Verdict(left, right, True, "exhaustive", detail)


def _check_cover(spec: Specification, cover: Cover, cone: Cone, timeout: float) -> Verdict:
    name = spec.name
    if not cover.rest_off:
        free = cover.minterms()
        if free.max(initial=0) < 40 and int((1 << free).sum()) <= MOST_ENUMERATED:
            return _check_listed(name, cover, cone)
    demanded, actual = _miters(cover, cone)
    equal, said = prove_equal(write_blif(demanded), write_blif(actual), timeout=timeout)
    detail = (
        f"{_counted(len(cover.lines), 'cube')} by SAT" if equal else " ".join(said.split())[-300:]
    )
    return Verdict(name, "network", equal, "proved", detail, "" if equal else "outputs")


def _check_listed(name: str, cover: Cover, cone: Cone) -> Verdict:
    total = 0
    for i in range(0, len(cover.lines), 4096):
        rows, source = _minterms(cover.ones[i : i + 4096], cover.zeros[i : i + 4096])
        total += len(rows)
        got = unpack(_evaluate(cone, pack(rows.T)), len(rows)).T
        source += i
        wrong = np.argwhere((cover.on[source] & ~got) | (cover.off[source] & got))
        if len(wrong):
            row, output = (int(v) for v in wrong[0])
            where = f"output {output}, line {cover.lines[source[row]]}"
            return Verdict(name, "network", False, "exhaustive", f"{len(wrong)} differ", where)
    cubes = _counted(len(cover.lines), "cube")
    detail = f"all {total:,} input combinations of {cubes}"
    return Verdict(name, "network", True, "exhaustive", detail)


def _minterms(ones: Bools, zeros: Bools) -> tuple[Bools, np.ndarray]:
    """Return every input combination of some cubes, and the cube each belongs to."""
    rows, source = [ones], [np.arange(len(ones))]
    fixed = ones | zeros
    open_counts = (~fixed).sum(axis=1)
    for i in np.flatnonzero(open_counts).tolist():
        places = np.flatnonzero(~fixed[i])
        more = np.repeat(ones[i][None], (1 << len(places)) - 1, axis=0)
        index = np.arange(1, 1 << len(places))
        more[:, places] = (index[:, None] >> np.arange(len(places))) & 1
        rows.append(more)
        source.append(np.full(len(more), i))
    return np.concatenate(rows), np.concatenate(source)


def _miters(cover: Cover, cone: Cone) -> tuple[Cone, Cone]:
    """Return two networks that are equal exactly when `cone` meets the cover.

    Per output ``f``, with the sets of the cover: ``on`` against ``f and on``, and constant zero
    against ``f and off``, both outside what is open.
    """
    sides = []
    for demanded in (True, False):
        builder = ConeBuilder(cover.n_inputs)
        inputs = range(cover.n_inputs)
        on, free = (builder.add(cover.network(w), inputs) for w in (cover.on, cover.free))
        if cover.rest_off:
            off = tuple(builder.lut([s], 0b01) for s in on)
        else:
            off = builder.add(cover.network(cover.off), inputs)
        got = (builder.constant(False),) * len(on) if demanded else builder.add(cone, inputs)
        outputs = []
        for a, b, c, f in zip(on, off, free, got, strict=True):
            inside = builder.lut([a, c], 0b0010)  # on, not open
            outputs.append(inside if demanded else builder.lut([inside, f], 0b1000))
            outside = builder.lut([b, c], 0b0010)
            outputs.append(builder.constant(False) if demanded else builder.lut([outside, f], 8))
        sides.append(builder.cone(outputs))
    return sides[0], sides[1]


def _evaluate(cone: Cone, words: Words) -> Words:
    """Evaluate 64 samples a word, splitting every table by its inputs."""
    rows = list(words)
    width = words.shape[1] if len(words) else 1
    everything = np.full(width, ~np.uint64(0))
    for fanin, table in zip(cone.fanins, cone.tables, strict=True):
        rows.append(_mux(table, [rows[s] for s in fanin], everything))
    return np.array([rows[s] for s in cone.outputs], np.uint64).reshape(len(cone.outputs), width)


def _mux(table: int, rows: list[Words], everything: Words) -> Words:
    size = 1 << len(rows)
    if table == 0:
        return everything ^ everything
    if table == (1 << size) - 1:
        return everything
    half = size // 2
    low, high = table & ((1 << half) - 1), table >> half
    select, rest = rows[-1], rows[:-1]
    if low == high:
        return _mux(low, rest, everything)
    return (select & _mux(high, rest, everything)) | (~select & _mux(low, rest, everything))
