"""Sum, Threshold and ArgmaxBlock blocks as LUT networks."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import numpy as np

from nnlogic.core.bits import Bools
from nnlogic.core.errors import IRError, ToolFailed
from nnlogic.core.formats import IntFormat
from nnlogic.logic.abc_blif import read_blif, write_blif
from nnlogic.logic.adders import digits, terms_of
from nnlogic.logic.cone import Cone, function_of, input_patterns
from nnlogic.logic.ir import MAX_K
from nnlogic.logic.network.sweeps import polish
from nnlogic.logic.portfolio import OBJECTIVES, Attempt, Solution, SolveOptions, solve
from nnlogic.logic.structures import Arithmetic, n_inputs_of, structures, tidy
from nnlogic.tables.evaluate import block_values
from nnlogic.tables.ir import Function, Sum
from nnlogic.tools.abc import sweep_equal, transform_blif

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
SWEEP_SECONDS = 20
STARTS = {"normal": (2, 1), "high": (4, 3)}
"""Per effort: networks mapped by ABC, and networks improved in windows."""
WINDOW_LEAVES, WINDOW_NODES, WINDOW_MOVES = 13, 200, 2000
TIGHT = 1.1
"""LUTs per bit that is added away, below which little is to be gained."""


def solve_block(block: Arithmetic, options: SolveOptions) -> Solution:
    """Build a block in several ways and return the cheapest that is right.

    Structures are tried first; then the best of them are mapped by ABC, and the best of all is
    improved window by window. What comes of a structure must be proved equal to it.

    Parameters
    ----------
    block : Sum, Threshold or ArgmaxBlock
        Signals numbered from 0 in the order of the network's inputs.
    options : SolveOptions

    Raises
    ------
    IRError
        The structure built differs from the block: a bug.
    """
    start = time.monotonic()
    # The levels of such a block all lie on one path, often the longest of the network.
    objective = "adp" if options.objective == "balanced" else options.objective
    pool = _Pool(block, options.k, OBJECTIVES[objective])
    for name, made in structures(block, options.k):
        pool.attempt(name, partial(tidy, made.cone))
    if n_inputs_of(block) <= TABLE_BITS:
        pool.attempt("table", partial(_from_table, block, options))
    if options.effort != "fast":
        _improve(pool, objective, options)
    if not pool.found:
        raise IRError(
            "an arithmetic block could not be built",
            where=type(block).__name__,
            why="; ".join(f"{a.engine}: {a.error}" for a in pool.attempts),
        )
    name, cone = pool.best()[0]
    return Solution(cone, name, time.monotonic() - start, tuple(pool.attempts))


class _Pool:
    """The networks found for a block, each compared with it."""

    def __init__(self, block: Arithmetic, k: int, cost: Callable[[Cone], tuple[int, ...]]) -> None:
        self.block, self.k, self.cost = block, k, cost
        self.found: list[tuple[str, Cone]] = []
        self.attempts: list[Attempt] = []

    def attempt(self, name: str, make: Callable[[], Cone]) -> None:
        """Make a network, and keep it if it is right."""
        begun = time.monotonic()
        try:
            cone = make()
            error = "; ".join(cone.problems(self.k)) or check_block(self.block, cone)
        except (ToolFailed, IRError) as failure:
            error = f"{failure.what}: {failure.why}"
        seconds = time.monotonic() - begun
        if error:
            self.attempts.append(Attempt(name, 0, 0, seconds, error))
            return
        self.attempts.append(Attempt(name, cone.luts, cone.depth, seconds))
        self.found.append((name, cone))

    def best(self, most: int = 1) -> list[tuple[str, Cone]]:
        """Return the cheapest networks, at most `most`."""
        return sorted(self.found, key=lambda item: self.cost(item[1]))[:most]


def _improve(pool: _Pool, objective: str, options: SolveOptions) -> None:
    starts, walks = STARTS[options.effort]
    begin = pool.best(starts)
    if (
        not begin
        or begin[0][1].luts > MAX_ABC_LUTS
        or (options.effort != "high" and _tight(pool.block, begin[0][1], options.k))
    ):
        return
    for name, plain in begin:
        for suffix, script in ABC_MAPPINGS:
            pool.attempt(f"{name}+{suffix}", partial(_mapped, plain, script, options))
    for name, cone in pool.best(walks):
        pool.attempt(f"{name}+windows", partial(_polished, cone, objective, options))


def _tight(block: Arithmetic, cone: Cone, k: int) -> bool:
    """Whether a sum of bits is about as small as counters make it: a bit less with each LUT."""
    if not isinstance(block, Sum) or k < MAX_K:
        return False
    bits = sum(len(digits(t.weight)) for t in terms_of(block))
    return cone.luts <= TIGHT * (bits - len(block.outputs)) + 2


def _from_table(block: Arithmetic, options: SolveOptions) -> Cone:
    return solve(tabulated(block), options).cone


def _mapped(plain: Cone, script: str, options: SolveOptions) -> Cone:
    text = transform_blif(write_blif(plain), script.format(k=options.k), timeout=options.timeout)
    return _proved(plain, tidy(read_blif(text)), script)


def _polished(cone: Cone, objective: str, options: SolveOptions) -> Cone:
    new = polish(
        cone,
        k=options.k,
        objective=objective,
        leaves=WINDOW_LEAVES,
        nodes=WINDOW_NODES,
        moves=WINDOW_MOVES,
        windows=cone.n_nodes + 8,
        seed=0,
    )
    return _proved(cone, new, "windows")


def unproved(block: Arithmetic, cone: Cone, engine: str, k: int) -> str:
    """Return why a network is not known to be equal to a block on all inputs, or nothing.

    A block too wide to enumerate is built once more as the engine that made the network began,
    and the two are proved equal.
    """
    if n_inputs_of(block) <= EXHAUSTIVE_BITS:
        return check_block(block, cone)
    plain = [(name, tidy(made.cone)) for name, made in structures(block, k)]
    if any(cone == made for _, made in plain):
        return ""
    name = max((n for n, _ in plain if engine.startswith(n)), key=len, default=plain[0][0])
    try:
        _proved(dict(plain)[name], cone, engine)
    except (IRError, ToolFailed) as error:
        return f"{error.what}: {error.why}"
    return ""


def _proved(plain: Cone, cone: Cone, where: str) -> Cone:
    """Return a network that is proved equal to another, where it is too wide to enumerate."""
    if plain.n_inputs > EXHAUSTIVE_BITS:
        equal, _ = sweep_equal(write_blif(plain), write_blif(cone), timeout=SWEEP_SECONDS)
        if not equal:
            why = "it differs" if equal is False else f"no verdict in {SWEEP_SECONDS} s"
            raise IRError("a block is not proved equal to its structure", where=where, why=why)
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
