"""First networks of a function, from simple scripts of ABC; the best is where the search begins.

None of them is best everywhere: on covers of many inputs what a script makes of the same function
differs by factors. Each takes a second or so, so all are tried.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from nnlogic.core.bits import Bools
from nnlogic.core.errors import IRError, ToolFailed
from nnlogic.logic.abc_blif import read_blif, write_blif
from nnlogic.logic.cone import Cone, function_of
from nnlogic.logic.engines.abc import MIN_INPUTS, AbcEngine
from nnlogic.logic.formats.cover import Cover
from nnlogic.logic.portfolio import SolveOptions, solve
from nnlogic.logic.specified.tabular import JUSTIFICATION, Found, cleaned, filled_tables
from nnlogic.logic.support import Partial
from nnlogic.tools.abc import transform_blif
from nnlogic.tools.budget import ENDLESS, budget, spending

log = logging.getLogger("nnlogic.logic")

FIRST = "strash; dch; if -K {k}; mfs2"
"""Always tried, however large the network and short the budget."""
WHOLE_TIMEOUT = 600.0
"""Seconds for `FIRST` on a whole network."""
_MAP = "dch; if -K {k} -a; mfs2"
SCRIPTS = (
    f"strash; dc2; dc2; dc2; {_MAP}",
    f"fx; strash; {_MAP}",
    "strash; ifraig; dc2; dch; if -K {k} -a; mfs2 -a -e",
)
"""From a network or a cover."""
FLAT = "collapse -B 100000"
"""One node per output; ABC gives up where the decision diagram is larger."""
FLAT_SCRIPTS = (
    f"{FLAT}; sop; fx; strash; dc2; {_MAP}",
    f"{FLAT}; strash; {_MAP}",
    f"{FLAT}; dsd; strash; dch; if -K {{k}} -a; mfs2 -a -e",
)
"""Forget the structure first; for networks of at most `MOST_FLAT` nodes, and covers."""
MOST_FLAT = 3000
TABLE_SCRIPTS = (*SCRIPTS[:2], FLAT_SCRIPTS[2])
"""From tables."""
TIMEOUT = {"fast": 1.0, "normal": 20.0, "high": 60.0}
"""Seconds for one of the other scripts."""


def best_start(cone: Cone, options: SolveOptions, cover: str = "") -> Found:
    """Return the network itself where it fits, or the best that a script makes of it.

    Parameters
    ----------
    cone : Cone
    options : SolveOptions
    cover : str
        The same function as BLIF text with a sum of products per output, where there is one: ABC
        factors these, which it cannot where they are networks already.

    Raises
    ------
    ToolFailed
        The network does not fit, and ABC had no result in time.
    """
    found = [Found(cone, "as given")] if cone.widest <= options.k else []
    text = cover or write_blif(cone)
    try:
        with spending(ENDLESS):
            found.append(_mapped(text, FIRST, options, WHOLE_TIMEOUT))
    except ToolFailed as error:
        if not found:
            raise
        log.warning("the network is not mapped anew: %s", error.what)
    flat = cover or cone.n_nodes <= MOST_FLAT
    with budget().searching():
        for script in (*SCRIPTS, *(FLAT_SCRIPTS if flat else ())):
            if budget().spent:
                break
            try:
                found.append(_mapped(text, script, options, TIMEOUT[options.effort]))
            except (ToolFailed, IRError) as error:
                log.info("script %s gave no start: %s %s", script, error.what, error.why)
                if script in FLAT_SCRIPTS:
                    break  # without structure it is too large for the others, too
    return min(found, key=lambda f: f.cost(options.objective))


def or_from_scripts(part: Partial, found: Found, options: SolveOptions) -> Found:
    """Return the network found for tables, or a smaller one that begins as simple scripts do.

    Parameters
    ----------
    part : Partial
    found : Found
        Says how don't-cares are filled.
    options : SolveOptions
    """
    if options.effort == "fast" or len(part.inputs) < MIN_INPUTS or budget().spent:
        return found
    cares: Bools = np.any(part.on | part.off, axis=0)
    function = function_of(filled_tables(part, found.cone), cares, JUSTIFICATION)
    engines = [AbcEngine(name(script), script) for script in TABLE_SCRIPTS]
    with budget().searching():
        limit = replace(options, timeout=TIMEOUT[options.effort])
        best = solve(function, limit, engines)
        other = Found(best.cone, best.engine)
        return min(found, other, key=lambda f: f.cost(options.objective))
    return found


def _mapped(text: str, script: str, options: SolveOptions, timeout: float) -> Found:
    script = script.format(k=options.k)
    return Found(cleaned(read_blif(transform_blif(text, script, timeout=timeout))), name(script))


def name(script: str) -> str:
    """Return what an engine that is a script is called: its commands."""
    commands = (command.split() for command in script.split(";"))
    return "+".join(c[0] for c in commands if c and c[0] not in ("strash", "sop"))


def cover_text(cover: Cover, which: Bools) -> str:
    """Return a cover as BLIF with one node per output.

    Parameters
    ----------
    cover : Cover
    which : bool array, shape (cubes, outputs)
        The cubes in which each output is 1.
    """
    x = [f"x{i}" for i in range(cover.n_inputs)]
    y = [f"y{o}" for o in range(cover.n_outputs)]
    lines = [".model cover", " ".join([".inputs", *x]), " ".join([".outputs", *y])]
    cubes = np.full(cover.ones.shape, "-")
    cubes[cover.ones], cubes[cover.zeros] = "1", "0"
    rows = ["".join(row) for row in cubes]
    for o, output in enumerate(y):
        reads = np.flatnonzero((cover.ones | cover.zeros)[which[:, o]].any(axis=0))
        chosen: Sequence[int] = np.flatnonzero(which[:, o]).tolist()
        lines.append(" ".join([".names", *(x[i] for i in reads), output]))
        kept = dict.fromkeys("".join(rows[c][i] for i in reads) for c in chosen)
        lines += [f"{row} 1".strip() for row in kept]
    return "\n".join([*lines, ".end", ""])
