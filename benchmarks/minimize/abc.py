"""What ABC's own scripts make of the parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.minimize.parts import Netlist, Part, Score, Stopwatch, check_blif, check_cone
from nnlogic.logic.abc_blif import read_blif, write_blif
from nnlogic.logic.build import assemble
from nnlogic.logic.cone import Cone, ConeBuilder
from nnlogic.logic.engines.abc import CARE_ARGUMENTS, run_script
from nnlogic.logic.passes.propagate_constants import propagate_constants
from nnlogic.tables.ir import Function, Instance, TableNet
from nnlogic.tools.abc import transform_blif

TIMEOUT = 600.0


@dataclass(frozen=True)
class Abc:
    """A script, by LUT size; ``{n}``, ``{m}``, ``{k}`` are inputs, outputs, LUT inputs.

    Attributes
    ----------
    cares : bool
        It uses the care set of a function; the others see don't-cares as zeros and are not run.
    join : str
        For networks too wide for the script: run it per table, put the results together, and
        run this. Empty: not for networks.
    """

    name: str
    scripts: dict[int, str]
    cares: bool = False
    join: str = ""
    wide: bool = False

    def run(self, parts: Sequence[Part], k: int) -> list[Score] | None:
        """Run on every part; None where the script does not apply."""
        scores = []
        for part in parts:
            if isinstance(part, Function):
                scores.append(self._table(part, k))
            elif isinstance(part, Netlist) and self._fits(part):
                scores.append(self._netlist(part, k))
            else:
                return None
        return scores

    def _fits(self, net: Netlist) -> bool:
        tables = net.tables
        return self.wide or bool(self.join and tables and all_tables(tables))

    def _solve(self, function: Function, k: int) -> Cone:
        table = function.table()
        varying = table.any(axis=1) & ~table.all(axis=1)  # read_truth refuses constants
        builder = ConeBuilder(function.n_inputs)
        outputs = [builder.constant(bool(row[0])) for row in table]
        if varying.any():
            care = function.care_bools() if self.cares else None
            args = CARE_ARGUMENTS if self.cares else ""
            n, m = function.n_inputs, int(varying.sum())
            script = self.scripts[k].format(n=n, m=m, k=k, care=args)
            cone = run_script(table[varying], care, script, TIMEOUT)
            made = builder.add(cone, range(n))
            for i, s in zip(np.flatnonzero(varying), made, strict=True):
                outputs[i] = s
        return builder.cone(outputs)

    def _table(self, function: Function, k: int) -> Score:
        with Stopwatch() as watch:
            cone = self._solve(function, k)
        return Score(cone.luts, cone.depth, watch.seconds, check_cone(cone, function), cone=cone)

    def _netlist(self, part: Netlist, k: int) -> Score:
        script = (self.scripts[k] if self.wide else self.join).format(k=k)
        with Stopwatch() as watch:
            start = part.blif if self.wide else self._stitched(part, k)
            blif = transform_blif(start, script, timeout=TIMEOUT)
        cone = propagate_constants(read_blif(blif)).cone
        return Score(cone.luts, cone.depth, watch.seconds, check_blif(blif, part))

    def _stitched(self, part: Netlist, k: int) -> str:
        assert part.tables is not None
        cones = [self._solve(function, k) for function in part.tables.functions]
        uses = [(block.function, block.inputs) for block in part.tables.instances]
        return write_blif(assemble(part.tables, cones, uses, k))


def all_tables(net: TableNet) -> bool:
    """Whether a network has no arithmetic blocks."""
    return all(isinstance(block, Instance) for block in net.blocks)


_TTOPT = "strash; &get; &ttopt -I {n} -O {m} {care}; "
_LNETMAP = _TTOPT + "&lnetmap -I {n} -O {m}; mfs2 -a -e -L 1"
_MAP4 = _TTOPT + "&put; dch; if -K {k} -a; mfs2 -a -e -L 1"
_JOIN = "strash; dch; if -K {k}; mfs2"

DCH = Abc("`dch; if -a; mfs2`", dict.fromkeys((4, 6), "strash; dch; if -K {k} -a; mfs2"), wide=True)
LUTMIN = Abc("`collapse; lutmin`", dict.fromkeys((4, 6), "collapse; lutmin -K {k}"), join=_JOIN)
TTOPT = Abc("`&ttopt; &lnetmap; mfs2`", {6: _LNETMAP, 4: _MAP4}, join=_JOIN)
TTOPT_CARES = Abc("`&ttopt -R 1; &lnetmap; mfs2`", {6: _LNETMAP, 4: _MAP4}, cares=True)
