"""ABC scripts as engines. Each script starts from truth tables and leaves a mapped network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nnlogic.core.bits import Bools
from nnlogic.core.errors import ToolFailed
from nnlogic.core.formats import IntArray
from nnlogic.logic.abc_blif import read_blif
from nnlogic.logic.cone import Cone
from nnlogic.logic.engines.base import EFFORTS
from nnlogic.logic.passes.propagate_constants import propagate_constants
from nnlogic.tables.ir import Function
from nnlogic.tools.abc import run_abc
from nnlogic.tools.plain import scratch

MIN_INPUTS = 3
CARE_ARGUMENTS = "-R 1 care.sim"


@dataclass(frozen=True)
class AbcEngine:
    """One ABC script.

    ``{n}``, ``{m}``, ``{k}`` stand for inputs, outputs and LUT size, ``{care}`` for the arguments
    with which ``&ttopt`` uses the care set; scripts without it see don't-cares as zeros.

    Attributes
    ----------
    name : str
    script : str
        From the network of tables to a mapped network.
    efforts : tuple of str
        Efforts at which the script is tried.
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
    efforts: tuple[str, ...] = EFFORTS
    lut_sizes: tuple[int, ...] = (2, 3, 4, 5, 6)
    max_inputs: int = 16
    order: int = 0

    def applicable(self, function: Function, k: int, effort: str) -> bool:
        """Whether the script fits the function, the LUT size and the effort."""
        return (
            effort in self.efforts
            and k in self.lut_sizes
            and MIN_INPUTS <= function.n_inputs <= self.max_inputs
        )

    def solve(self, function: Function, k: int, timeout: float) -> Cone:
        """Run the script on the function's tables."""
        n, m = function.n_inputs, function.n_outputs
        table, care = function.table(), None
        if function.care is not None and "{care}" in self.script:
            care = function.care_bools()
        script = self.script.format(n=n, m=m, k=k, care="" if care is None else CARE_ARGUMENTS)
        if not self.order:
            return run_script(table, care, script, timeout)
        rng = np.random.default_rng(self.order)
        inputs, outputs = rng.permutation(n), rng.permutation(m)
        table = permuted_inputs(table, inputs)[outputs]
        if care is not None:
            care = permuted_inputs(care[None], inputs)[0]
        return renamed(run_script(table, care, script, timeout), inputs, outputs)


def run_script(table: Bools, care: Bools | None, script: str, timeout: float) -> Cone:
    """Run ABC on truth tables and read back the network it leaves.

    Parameters
    ----------
    table : bool array, shape (outputs, 2**n), n at least 3
    care : bool array, shape (2**n,), or None
        When given, left for the script as the simulation file of `CARE_ARGUMENTS`.
    """
    n = table.shape[1].bit_length() - 1
    with scratch("abc") as cwd:
        rows = np.packbits(table[:, ::-1], axis=1)
        (cwd / "in.truth").write_text("".join(row.tobytes().hex() + "\n" for row in rows))
        if care is not None:
            (cwd / "care.txt").write_text(care_text(care))
            script = f"&lnetread care.txt care.sim; {script}"
        out = cwd / "out.blif"
        run_abc(
            f"read_truth -f in.truth; {script}; write_blif out.blif",
            cwd=cwd,
            outputs=(out,),
            timeout=timeout,
        )
        cone = read_blif(out.read_text())
    if cone.n_inputs != n or len(cone.outputs) != len(table):
        raise ToolFailed(
            "abc changed the interface",
            where=script,
            why=f"{cone.n_inputs} inputs and {len(cone.outputs)} outputs, "
            f"need {n} and {len(table)}",
        )
    return propagate_constants(cone).cone


def care_text(care: Bools) -> str:
    """Return a care set as ABC's pattern file: one pattern per line, last input leftmost.

    ABC fills up the last 64 patterns with zeros, which would make input zero a care; repeated
    patterns fill them instead.
    """
    n = care.size.bit_length() - 1
    index = np.flatnonzero(care)
    index = np.resize(index, -(-index.size // 64) * 64)
    return "".join(f"{i:0{n}b}\n" for i in index.tolist())


def permuted_inputs(table: Bools, order: IntArray) -> Bools:
    """Return the table whose input ``i`` is input ``order[i]`` of `table`."""
    n = table.shape[1].bit_length() - 1
    index = np.arange(1 << n)
    source = np.zeros_like(index)
    for new, old in enumerate(order):
        source |= ((index >> new) & 1) << old
    return table[:, source]


def renamed(cone: Cone, inputs: IntArray, outputs: IntArray) -> Cone:
    """Undo a permutation: input ``i`` of `cone` is input ``inputs[i]`` of the result."""
    signals = [*inputs.tolist(), *range(cone.n_inputs, cone.n_inputs + cone.n_nodes)]
    drivers = dict(zip(outputs.tolist(), cone.outputs, strict=True))
    return Cone(
        cone.n_inputs,
        tuple(tuple(signals[s] for s in fanin) for fanin in cone.fanins),
        cone.tables,
        tuple(signals[drivers[i]] for i in range(len(drivers))),
    )


_TTOPT = "strash; &get; &ttopt -I {n} -O {m} -X 20 {care}; "
_LNETMAP = _TTOPT + "&lnetmap -I {n} -O {m}"
_DCH = _TTOPT + "&put; dch; if -K {k} -a; mfs2"
_SMALLER = (2, 3, 4, 5)
_FROM_NORMAL = ("normal", "high")
_HIGH = ("high",)
SHUFFLES = 16

ABC_ENGINES = (
    AbcEngine("ttopt+lnetmap", _LNETMAP, EFFORTS, (6,)),
    AbcEngine("ttopt+lnetmap/1", _LNETMAP, _FROM_NORMAL, (6,), order=1),
    *(AbcEngine(f"ttopt+lnetmap/{i}", _LNETMAP, _HIGH, (6,), order=i) for i in range(2, SHUFFLES)),
    AbcEngine("ttopt+if", _DCH, EFFORTS, _SMALLER),
    AbcEngine("ttopt+if+lutpack", _DCH + " -e; lutpack", _HIGH, order=1),
    AbcEngine("lutmin", "collapse; lutmin -K {k}; mfs2", EFFORTS, _SMALLER),
    AbcEngine("lutmin+lutpack", "collapse; lutmin -K {k}; mfs2; lutpack", _HIGH),
    AbcEngine("sop+dch", "strash; dch; if -K {k}; mfs2 -e; lutpack", _HIGH, max_inputs=12),
)
