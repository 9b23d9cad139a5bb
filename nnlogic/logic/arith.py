"""Sum, Threshold and Argmax blocks as LUT networks."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from nnlogic.core.bits import Bools
from nnlogic.core.errors import IRError, ToolFailed
from nnlogic.core.formats import IntFormat
from nnlogic.logic.blif import read_blif, write_blif
from nnlogic.logic.cone import Cone, function_of, input_patterns
from nnlogic.logic.passes.propagate_constants import propagate_constants
from nnlogic.logic.portfolio import OBJECTIVES, Attempt, Options, Solution, solve
from nnlogic.logic.structures import Arithmetic, all_pairs, n_inputs_of, structure
from nnlogic.tables.evaluate import block_values
from nnlogic.tables.ir import Argmax, Function
from nnlogic.tools.abc import prove_equal, transform_blif

log = logging.getLogger("nnlogic.logic")

EXHAUSTIVE_BITS = 16
TABLE_BITS = 12
"""Blocks of at most this many input bits also go to the portfolio as a table."""
SAMPLES = 4096
ABC_MAPPINGS = (
    ("mfs2", "mfs2 -e -L 1; lutpack -L 1"),
    ("dch", "strash; dch; if -K {k} -a; mfs2 -e; lutpack"),
    ("dch depth", "strash; dch; if -K {k}; mfs2 -e; lutpack"),
)
MAX_ABC_LUTS = 4000
MAX_PAIRED = 8
"""Most words of an argmax for which all pairs are compared."""


def solve_block(block: Arithmetic, options: Options) -> Solution:
    """Build a block in several ways and return the cheapest that is right.

    Parameters
    ----------
    block : Sum, Threshold or Argmax
        Signals numbered from 0 in the order of the network's inputs.
    options : Options

    Raises
    ------
    IRError
        The structure built differs from the block: a bug.
    """
    start = time.monotonic()
    # The levels of such a block all lie on one path, often the longest of the network.
    balanced = options.objective == "balanced"
    cost = OBJECTIVES["adp" if balanced else options.objective]
    attempts: list[Attempt] = []
    best: tuple[Cone, str] | None = None
    for name, candidate in _candidates(block, options):
        begun = time.monotonic()
        try:
            cone = candidate()
            error = "; ".join(cone.problems(options.k)) or check_block(block, cone)
        except (ToolFailed, IRError) as failure:
            error = f"{failure.what}: {failure.why}"
        seconds = time.monotonic() - begun
        if error:
            attempts.append(Attempt(name, 0, 0, seconds, error))
            continue
        attempts.append(Attempt(name, cone.luts, cone.depth, seconds))
        if best is None or cost(cone) < cost(best[0]):
            best = cone, name
    if best is None:
        raise IRError(
            "an arithmetic block could not be built",
            where=type(block).__name__,
            why="; ".join(f"{a.engine}: {a.error}" for a in attempts),
        )
    return Solution(*best, time.monotonic() - start, tuple(attempts))


def _candidates(block: Arithmetic, options: Options) -> Iterator[tuple[str, Callable[[], Cone]]]:
    k = options.k
    plains = {"structure": structure(block, k)}
    if isinstance(block, Argmax) and len(block.words) <= MAX_PAIRED:
        plains["all pairs"] = all_pairs(block, k)
    for name, plain in plains.items():
        yield name, partial(_same, plain)
        if options.effort != "fast" and plain.luts <= MAX_ABC_LUTS:
            for suffix, script in ABC_MAPPINGS:
                yield f"{name}+{suffix}", partial(_mapped, plain, script, options)
    if n_inputs_of(block) <= TABLE_BITS:
        yield "table", partial(_from_table, block, options)


def _same(cone: Cone) -> Cone:
    return cone


def _from_table(block: Arithmetic, options: Options) -> Cone:
    return solve(tabulated(block), options).cone


def _mapped(plain: Cone, script: str, options: Options) -> Cone:
    text = transform_blif(write_blif(plain), script.format(k=options.k), timeout=options.timeout)
    cone = propagate_constants(read_blif(text)).cone
    if plain.n_inputs > EXHAUSTIVE_BITS:
        equal, _ = prove_equal(write_blif(plain), write_blif(cone), timeout=options.timeout)
        if not equal:
            raise IRError("a mapped block differs from its structure", where=script)
    return cone


def tabulated(block: Arithmetic) -> Function:
    """Return a small block as a Function."""
    return function_of(expected_bits(block, input_patterns(n_inputs_of(block))), None)


def expected_bits(block: Arithmetic, values: Bools) -> Bools:
    """Evaluate a block by integer arithmetic, bool (inputs, samples) to (outputs, samples)."""
    raw = block.result.format.to_raw(block_values(block, values))
    return np.array([(raw >> b) & 1 for b in range(len(block.outputs))], dtype=bool)


def check_block(block: Arithmetic, cone: Cone, seed: int = 0) -> str:
    """Compare a network with the block it stands for; return what is wrong, or nothing.

    Exhaustive up to `EXHAUSTIVE_BITS` inputs, else on random rows and corners: every word at
    its lowest, its highest, zero, and all words nearly equal.
    """
    n = n_inputs_of(block)
    if cone.n_inputs != n or len(cone.outputs) != len(block.outputs):
        return f"{cone.n_inputs} inputs and {len(cone.outputs)} outputs"
    if n <= EXHAUSTIVE_BITS:
        values = input_patterns(n)
    else:
        values = sample_patterns(block, n, seed)
    wrong = (cone.evaluate(values) != expected_bits(block, values)).any(axis=0)
    return f"wrong on {wrong.sum()} of {wrong.size} rows" if wrong.any() else ""


def sample_patterns(block: Arithmetic, n: int, seed: int) -> Bools:
    """Return random and corner input rows for a block, bool, shape (n, samples)."""
    rng = np.random.default_rng(seed)
    density = rng.random(SAMPLES)
    random = rng.random((n, SAMPLES)) < density
    near = np.zeros((n, SAMPLES), dtype=bool)
    base = rng.integers(-(1 << 20), 1 << 20, SAMPLES)
    for word in block.words:
        value = np.clip(base + rng.integers(-1, 2, SAMPLES), word.format.lo, word.format.hi)
        value = np.where(rng.random(SAMPLES) < 0.1, rng.choice(_corners(word.format)), value)
        for b, s in enumerate(word.signals):
            near[s] = (value >> b) & 1
    edges = np.stack([np.zeros(n, bool), np.ones(n, bool)], axis=1)
    return np.concatenate([random, near, edges, np.eye(n, dtype=bool)], axis=1)


def _corners(fmt: IntFormat) -> list[int]:
    return [fmt.lo, fmt.hi, 0]
