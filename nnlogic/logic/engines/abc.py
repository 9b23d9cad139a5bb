"""ABC scripts as engines. Each script starts from truth tables and leaves a mapped network."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nnlogic.core.errors import ToolFailed
from nnlogic.logic.blif import read_blif
from nnlogic.logic.cone import Cone
from nnlogic.logic.engines.base import EFFORTS
from nnlogic.logic.passes.propagate_constants import propagate_constants
from nnlogic.tables.ir import Function
from nnlogic.tools.abc import run_abc

MIN_INPUTS = 3


@dataclass(frozen=True)
class AbcEngine:
    """One ABC script; ``{n}``, ``{m}``, ``{k}`` stand for inputs, outputs and LUT size.

    Attributes
    ----------
    name : str
    script : str
        From the network of tables to a mapped network.
    effort : str
        Lowest effort at which the script is tried.
    lut_sizes : tuple of int
        LUT sizes the script can map to.
    max_inputs : int
        Most inputs the script is worth its time for.
    order : int
        0 keeps the order of inputs and outputs; another value shuffles both, which starts
        order-dependent commands elsewhere.
    """

    name: str
    script: str
    effort: str = "normal"
    lut_sizes: tuple[int, ...] = (2, 3, 4, 5, 6)
    max_inputs: int = 16
    order: int = 0

    def applicable(self, function: Function, k: int, effort: str) -> bool:
        """Whether the script fits the function, the LUT size and the effort."""
        return (
            EFFORTS.index(effort) >= EFFORTS.index(self.effort)
            and k in self.lut_sizes
            and MIN_INPUTS <= function.n_inputs <= self.max_inputs
        )

    def solve(self, function: Function, k: int, timeout: float) -> Cone:
        """Run the script on the function's tables, don't-cares filled with zeros."""
        n, m = function.n_inputs, function.n_outputs
        table = function.table()
        inputs, outputs = np.arange(n), np.arange(m)
        if self.order:
            rng = np.random.default_rng(self.order)
            inputs, outputs = rng.permutation(n), rng.permutation(m)
            table = permuted_inputs(table, inputs)[outputs]
        cone = run_script(table, self.script.format(n=n, m=m, k=k), timeout)
        return renamed(cone, inputs, outputs) if self.order else cone


def run_script(table: np.ndarray, script: str, timeout: float) -> Cone:
    """Run ABC on truth tables and read back the network it leaves.

    Parameters
    ----------
    table : bool array, shape (outputs, 2**n), n at least 3
    """
    with tempfile.TemporaryDirectory(prefix="nnlogic-abc-") as folder:
        cwd = Path(folder)
        rows = np.packbits(table[:, ::-1], axis=1)
        (cwd / "in.truth").write_text("".join(row.tobytes().hex() + "\n" for row in rows))
        out = cwd / "out.blif"
        run_abc(
            f"read_truth -f in.truth; {script}; write_blif out.blif",
            cwd=cwd,
            outputs=(out,),
            timeout=timeout,
        )
        cone = read_blif(out.read_text())
    n = table.shape[1].bit_length() - 1
    if cone.n_inputs != n or len(cone.outputs) != len(table):
        raise ToolFailed(
            "abc changed the interface",
            where=script,
            why=f"{cone.n_inputs} inputs and {len(cone.outputs)} outputs, "
            f"need {n} and {len(table)}",
        )
    return propagate_constants(cone).cone


def permuted_inputs(table: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Return the table whose input ``i`` is input ``order[i]`` of `table`."""
    n = table.shape[1].bit_length() - 1
    index = np.arange(1 << n)
    source = np.zeros_like(index)
    for new, old in enumerate(order):
        source |= ((index >> new) & 1) << old
    return table[:, source]


def renamed(cone: Cone, inputs: np.ndarray, outputs: np.ndarray) -> Cone:
    """Undo a permutation: input ``i`` of `cone` is input ``inputs[i]`` of the result."""
    signals = [*inputs.tolist(), *range(cone.n_inputs, cone.n_inputs + cone.n_nodes)]
    drivers = dict(zip(outputs.tolist(), cone.outputs, strict=True))
    return Cone(
        cone.n_inputs,
        tuple(tuple(signals[s] for s in fanin) for fanin in cone.fanins),
        cone.tables,
        tuple(signals[drivers[i]] for i in range(len(drivers))),
    )


_TTOPT = "strash; &get; &ttopt -I {n} -O {m} -X "
_POLISH = "; mfs2 -a -L 1; lutpack -L 1; mfs2 -e -L 1"

ABC_ENGINES = (
    AbcEngine("lutmin", "collapse; lutmin -K {k}", "fast"),
    AbcEngine("ttopt+lnetmap", _TTOPT + "20; &lnetmap -I {n} -O {m}", "fast", (6,)),
    AbcEngine("ttopt+if", _TTOPT + "20; &put; dch; if -K {k} -a; mfs2", "fast"),
    AbcEngine("ttopt+lnetmap+mfs2", _TTOPT + "20; &lnetmap -I {n} -O {m}" + _POLISH, lut_sizes=(6,)),
    AbcEngine("lutmin+mfs2", "collapse; lutmin -K {k}; mfs2; lutpack", "high"),
    AbcEngine("sop+dch", "strash; dch; if -K {k}; mfs2 -e; lutpack", "high", max_inputs=12),
    *(
        AbcEngine(
            f"ttopt+lnetmap+mfs2/{i}",
            _TTOPT + "20; &lnetmap -I {n} -O {m}" + _POLISH,
            "high",
            (6,),
            order=i,
        )
        for i in range(1, 9)
    ),
)
