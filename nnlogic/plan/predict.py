"""What a network would take, in seconds and from its tables alone, before anything is minimized."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nnlogic.core.errors import NNLogicError, Problem, TargetMissed
from nnlogic.flows.targets import Target
from nnlogic.job.backend import Backend, backends
from nnlogic.job.budgets import LUTS, limit_problems, luts_fix
from nnlogic.job.options import Limited, Options
from nnlogic.predict.estimate import estimate_luts
from nnlogic.quant.ir import QuantNet
from nnlogic.quant.layer import Layer
from nnlogic.quant.layers.windowed import Windowed

PREDICTED = "predicted, nothing was built"
PREDICTED_INPUTS = 6
"""Inputs of the LUTs that predictions count."""
FAR = 2.0
"""Times a budget by which a prediction has to exceed it, to be believed without minimizing."""


def predicted_luts(net: QuantNet, *, unrolled: bool = False) -> float:
    """Return the LUT6 of a network.

    Parameters
    ----------
    net : QuantNet
    unrolled : bool
        Count the kernels of windows at all positions, before anything is shared; else once.
    """
    luts = estimate_luts(net)
    return sum(luts[la.name] * (_positions(la) if unrolled else 1) for la in net.layers)


def _positions(layer: Layer) -> int:
    """Return how often a layer's kernels are built where they are unrolled."""
    if not isinstance(layer, Windowed):
        return 1
    return len(layer.formats) // sum(len(kernel.formats) for kernel in layer.kernels)


def hopeless_luts(
    who: str,
    net: QuantNet,
    target: Target,
    opts: Limited,
    *,
    unrolled: bool = False,
    approximate: bool = True,
) -> list[Problem]:
    """Return the budget of LUTs, where a prediction says that it is far out of reach.

    Only a prediction of `FAR` times the budget is believed.

    Parameters
    ----------
    who : str
        What needs them.
    net : QuantNet
    target : Target
    opts : Limited
    unrolled : bool
        As for `predicted_luts`.
    approximate : bool
        Whether the backend takes approximate networks.
    """
    if opts.max_luts is None or opts.mode != "exact" or target.lut_size > PREDICTED_INPUTS:
        return []
    luts = predicted_luts(net, unrolled=unrolled)
    if luts <= FAR * opts.max_luts:
        return []
    who = f"{who}, predicted from the tables of the neurons,"
    fix = luts_fix(luts, opts, approximate=approximate)
    return limit_problems(who, opts, luts=luts, fixes={LUTS: fix})


def with_other_ways(
    error: TargetMissed, backend: Backend, net: QuantNet, given: Mapping[str, Any], opts: Options
) -> TargetMissed:
    """Return an error about budgets with what other backends would take.

    Parameters
    ----------
    error : TargetMissed
        With a problem for each budget that is missed; others come back as they are.
    backend : Backend
        Which misses them.
    net : QuantNet
    given : mapping
        Options as given.
    opts : Options
        Of `backend`.
    """
    budgets = {name for name in Limited.__dataclass_fields__ if name not in Options.__annotations__}
    if not error.problems or all(given.get(name) is None for name in budgets):
        return error
    found = list(_ways(backend, net, Target.of(opts.target), opts))
    return TargetMissed(
        error.what, where=error.where, why=error.why, fix=error.fix,
        problems=[*error.problems, *found],
    )  # fmt: skip


def _ways(backend: Backend, net: QuantNet, target: Target, opts: Options) -> Iterator[Problem]:
    for other in backends().values():
        if other is backend:
            continue
        try:
            text = other.forecast(other.taken(net, opts), target, opts)
        except NNLogicError:
            continue  # it does not take this network, or this target
        if text:
            yield Problem(f"--backend {other.name}", f"{text} ({PREDICTED})")
