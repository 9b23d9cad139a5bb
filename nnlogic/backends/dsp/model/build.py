"""From a LogicNet to an OpGraph of few two-input operations.

A LUT with two inputs is one operation whatever its function, so ABC maps the network to 2-input
LUTs for area. What it starts from decides the result: the scripts below restructure with
different means in turn, and the smallest network seen is kept. Each is used up to a size that
keeps the time per operation bounded; above all of them the network is mapped as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

from nnlogic.backends.dsp.model.ir import OpGraph
from nnlogic.backends.dsp.model.lower import lower
from nnlogic.core.bits import random_codes
from nnlogic.core.errors import Different, ToolTimeout, UsageError
from nnlogic.logic.abc_blif import read_blif, write_blif
from nnlogic.logic.cone import Cone, ConeBuilder
from nnlogic.logic.ir import LogicNet
from nnlogic.logic.rewrite import cone_of
from nnlogic.tools.abc import transform_blif

_PAIRS = "if -K 2 -a"
_CHOICES = f"dch; {_PAIRS}; mfs2 -a"
_GIA = f"&get -n; &syn4; &dch -x; &put; {_PAIRS}; mfs2 -a"
_RESUB = (
    "balance -l; resub -K 6 -l; rewrite -l; resub -K 6 -N 2 -l; refactor -l; resub -K 8 -l; "
    "balance -l; resub -K 8 -N 2 -l; rewrite -l; resub -K 10 -l; rewrite -z -l; "
    "resub -K 10 -N 2 -l; balance -l; resub -K 12 -l; refactor -z -l; resub -K 12 -N 2 -l; "
    "rewrite -z -l; balance -l"
)


@dataclass(frozen=True, slots=True)
class Script:
    """An ABC script and the largest network, in operations, it is used on."""

    name: str
    commands: str
    most: int


SCRIPTS = (
    Script("gia", f"strash; {_GIA}", 60_000),
    Script("lut6", f"strash; dch; if -K 6 -a; mfs2 -a; strash; {_RESUB}; {_GIA}", 20_000),
    Script("resub", f"strash; {_RESUB}; {_CHOICES}", 20_000),
)
DIRECT = Script("direct", f"strash; {_PAIRS}", 1 << 40)
ROUNDS = {"fast": 0, "normal": 1, "high": 4}
SECONDS = 300.0
SAMPLES = 4096


def build_ops(net: LogicNet, *, effort: str = "normal", timeout: float = SECONDS) -> OpGraph:
    """Return a graph of two-input operations equal to `net`.

    Parameters
    ----------
    net : LogicNet
        Any K; one that was minimized with ``k=2`` gives the fewest operations.
    effort : {"fast", "normal", "high"}
        ``fast`` maps the network as it is; ``normal`` runs every script that fits its size
        once, ``high`` up to four times, as long as they help.
    timeout : float
        Seconds for each script; what one does not finish is left out.

    Raises
    ------
    UsageError
        Unknown effort.
    IRError
        `net` has no input bits.
    Different
        Outputs differ on random rows. `nnlogic.backends.dsp.checks.program` proves what this only
        samples.
    """
    if effort not in ROUNDS:
        raise UsageError("unknown effort", why=f"{effort!r} not in {tuple(ROUNDS)}")
    cone = mapped(_simplified(cone_of(net)), DIRECT, timeout)
    best = lower(cone, net.name, net.inputs, net.outputs)
    for _ in range(ROUNDS[effort]):
        before = best.n_ops
        for script in SCRIPTS:
            if best.n_ops > script.most:
                continue
            try:
                cone = mapped(cone, script, timeout)
            except ToolTimeout:
                continue
            graph = lower(cone, net.name, net.inputs, net.outputs)
            if graph.n_ops < best.n_ops:
                best = graph
        if best.n_ops == before:
            break
    best.verify()
    _compare(net, best)
    return best


def _simplified(cone: Cone) -> Cone:
    """Without inputs that do not matter, which ABC does not read."""
    builder = ConeBuilder(cone.n_inputs)
    return builder.cone(builder.add(cone, range(cone.n_inputs)))


def mapped(cone: Cone, script: Script, timeout: float) -> Cone:
    """Run one script on a network; the result has nodes of at most two inputs."""
    return read_blif(transform_blif(write_blif(cone), script.commands, timeout=timeout))


def _compare(net: LogicNet, graph: OpGraph) -> None:
    codes = random_codes(net.inputs, SAMPLES)
    wrong = (net.evaluate(codes) != graph.evaluate(codes)).any(axis=1)
    if wrong.any():
        raise Different(
            "the operation graph differs from the network",
            where=net.name,
            why=f"{int(wrong.sum())} of {SAMPLES} random rows, the first is row {wrong.argmax()}",
        )
