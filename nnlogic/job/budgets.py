"""Budgets of a design: which are missed, by how much, and what would meet them."""

from __future__ import annotations

import math
from collections.abc import Mapping

from nnlogic.core.errors import Problem
from nnlogic.flows.target_facts import DelayModel
from nnlogic.job.options import Limited

LUTS, LATENCY, RATE = "--max-luts", "--max-latency, ns", "--samples-per-second"
APPROXIMATE = 0.87
"""LUTs in approximate mode over those of exact mode, at half a point of accuracy: the bundled
network (docs/benchmarks/minimize.md)."""
MEASURED = (0.97, 1.0)
"""LUTs with ``--optimize network`` over those without: `jets_m` and `jets_xs` of the zoo."""


def limit_problems(
    who: str,
    opts: Limited,
    *,
    luts: float | None = None,
    latency_ns: float | None = None,
    rate: float | None = None,
    fixes: Mapping[str, str] | None = None,
) -> list[Problem]:
    """Return the budgets that a design misses.

    Parameters
    ----------
    who : str
        What needs it: ``"the pipeline"``.
    opts : Limited
    luts, latency_ns, rate : float, optional
        Of the design; what is not known is not missed.
    fixes : mapping of str to str, optional
        By budget (`LUTS`, `LATENCY`, `RATE`), what would meet it, after what to allow.
    """
    out = []
    fixes = fixes or {}
    for name, got, most in ((LUTS, luts, opts.max_luts), (LATENCY, latency_ns, opts.max_latency)):
        if most is not None and got is not None and got > most:
            # Rounded up: what is to be allowed must be enough.
            places = 0 if name == LUTS else 1
            needs = math.ceil(got * 10**places) / 10**places
            needed, more, than = (f"{v:,.{places}f}" for v in (needs, needs - most, most))
            allow = f"allow {needs:.{places}f}"
            why = f"{who} needs {needed}, {more} more than {than}"
            out.append(Problem(name, why, _fix(allow, fixes.get(name))))
    asked = opts.samples_per_second
    if asked is not None and rate is not None and rate < asked:
        why = f"{who} takes {rate:,.0f}, {asked - rate:,.0f} fewer than {asked:,.0f}"
        out.append(Problem(RATE, why, _fix(f"allow {math.floor(rate)}", fixes.get(RATE))))
    return out


def _fix(allow: str, other: str | None) -> str:
    return f"{allow}, or {other}" if other else allow


def luts_fix(luts: float, opts: Limited, *, approximate: bool = True) -> str:
    """Say what would take fewer LUTs, with figures where there are.

    Parameters
    ----------
    luts : float
        That the design takes.
    opts : Limited
    approximate : bool
        Whether the backend takes approximate networks.
    """
    ways = []
    if opts.optimize == "none":
        least, most = (round(luts * part) for part in MEASURED)
        ways.append(f"--optimize network (as on the zoo: {least:,} to {most:,}, estimate)")
    if opts.objective != "area":
        ways.append("--objective area")
    if opts.mode == "exact" and approximate:
        ways.append(
            "--mode approximate --rows FILE, which frees what rows rarely show (as on the bundled "
            f"network at half a point of accuracy: {APPROXIMATE * luts:,.0f}, estimate)"
        )
    wanted = f" --budget {opts.max_luts}" if opts.max_luts is not None else ""
    ways.append(f"a smaller network: nnlogic search RECIPE{wanted}")
    ways.append("--backend auto, which tries the others")
    return "; ".join(ways)


def pipeline_fixes(depth: int, delay: DelayModel, opts: Limited) -> dict[str, str]:
    """Say which pipeline of a network would be fast enough, by the target's delay model.

    A network of `depth` levels in segments of at most N has ``ceil(depth / N)`` of them.
    """
    found = {}
    choices = [(n, -(-depth // n) + 1, delay.segment_ns(n)) for n in range(1, max(2, depth + 1))]
    n, clocks, period = min(choices, key=lambda c: (c[1] * c[2], c[0]))
    best = f"--levels-per-stage {n} takes {clocks * period:.4g} ns at {1000 / period:.0f} MHz"
    enough = opts.max_latency is not None and clocks * period <= opts.max_latency
    found[LATENCY] = best if enough else (
        f"a network of fewer levels than {depth} (--objective depth): {best}, the least there is"
    )  # fmt: skip
    fast = [c for c in choices if 1e9 / c[2] >= (opts.samples_per_second or 0)]
    if fast:
        n, clocks, period = fast[-1]
        rate = 1e9 / period
        found[RATE] = f"--levels-per-stage {n} takes {rate:,.0f} (latency {clocks * period:.4g} ns)"
    else:
        found[RATE] = "several copies side by side: one takes at most one sample per clock"
    return found
