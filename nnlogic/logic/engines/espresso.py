"""Two-level minimization with espresso, then multi-level restructuring and mapping by ABC."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nnlogic.core.bits import Bools
from nnlogic.core.errors import ToolFailed
from nnlogic.logic.abc_blif import read_blif
from nnlogic.logic.cone import Cone
from nnlogic.logic.engines import espresso_worker
from nnlogic.logic.passes.propagate_constants import propagate_constants
from nnlogic.tables.ir import Function
from nnlogic.tools.abc import transform_blif
from nnlogic.tools.find import Tool
from nnlogic.tools.plain import scratch
from nnlogic.tools.run import run_tool

Cube = tuple[Sequence[int], Sequence[int]]

SPARSE = 0.25
"""Share of inputs that matter up to which two-level minimization is tried at normal effort."""
MAX_INPUTS = 12
SCRIPT = "strash; dc2; dch; if -K {k}; mfs2 -e; lutpack"


class Espresso:
    """Multi-output covers with on-, off- and don't-care sets: for sparse functions."""

    name = "espresso+dch"

    def applicable(self, function: Function, k: int, effort: str) -> bool:
        """Sparse functions at normal effort, any of moderate width at high effort."""
        if function.n_inputs > MAX_INPUTS:
            return False
        sparse = function.care_bools().mean() <= SPARSE
        return effort == "high" or (effort == "normal" and bool(sparse))

    def solve(self, function: Function, k: int, timeout: float) -> Cone:
        """Minimize the cover in a process of its own, then map it."""
        start = time.monotonic()
        cubes = minimized_cover(function.table(), function.care_bools(), timeout)
        blif = cover_blif(function.n_inputs, function.n_outputs, cubes)
        left = max(1.0, timeout - (time.monotonic() - start))
        return propagate_constants(
            read_blif(transform_blif(blif, SCRIPT.format(k=k), timeout=left))
        ).cone


def minimized_cover(table: Bools, care: Bools, timeout: float) -> list[Cube]:
    """Return a small multi-output cover of `table` on `care`.

    Parameters
    ----------
    table : bool array, shape (outputs, 2**n)
    care : bool array, shape (2**n,)

    Returns
    -------
    list of (input part, output part)
        As in `nnlogic.logic.engines.espresso_worker`.

    Raises
    ------
    ToolFailed, ToolTimeout
    """
    m, size = table.shape
    n = size.bit_length() - 1
    index = np.arange(size)
    inputs = ((index[:, None] >> np.arange(n)) & 1) + 1
    outputs = np.where(care[:, None], table.T, 2)
    cubes = list(zip(inputs.tolist(), outputs.astype(int).tolist(), strict=True))
    tool = Tool("espresso", (sys.executable, str(Path(espresso_worker.__file__))), (), "pyeda")
    with scratch("espresso") as cwd:
        (cwd / "in.json").write_text(json.dumps([n, m, cubes]))
        out = cwd / "out.json"
        run_tool(tool, ["in.json", "out.json"], cwd=cwd, timeout=timeout, outputs=(out,))
        try:
            return [(a, b) for a, b in json.loads(out.read_text())]
        except ValueError as error:
            raise ToolFailed("espresso wrote no cover", why=str(error)) from error


def cover_blif(n: int, m: int, cubes: Sequence[Cube]) -> str:
    """Return a two-level cover as BLIF, one node per output."""
    lines = [".model cover", ".inputs " + " ".join(f"x{i}" for i in range(n))]
    lines.append(".outputs " + " ".join(f"y{i}" for i in range(m)))
    for i in range(m):
        lines.append(".names " + " ".join([*(f"x{b}" for b in range(n)), f"y{i}"]))
        lines += ["".join("?01-"[c] for c in a) + " 1" for a, b in cubes if b[i] == 1]
    return "\n".join([*lines, ".end", ""])
