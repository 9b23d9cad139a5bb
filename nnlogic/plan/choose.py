"""``--backend auto``: the plainest backend within the budgets, else the fastest that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from nnlogic.core.errors import Problem, TargetMissed, UnsupportedModel, UsageError
from nnlogic.core.progress import SILENT, Progress
from nnlogic.flows.targets import Target
from nnlogic.job.backend import AUTO, DEFAULT, Backend, backend_named, backends
from nnlogic.job.directory import ir_path
from nnlogic.job.options import Budgeted
from nnlogic.job.source import load_source
from nnlogic.logic.ir import LogicNet
from nnlogic.plan.proposal import Planning, Proposal

TRIES = 4
"""Designs compiled in turn when what was estimated does not hold."""


def budgets_of(given: Mapping[str, Any]) -> Budgeted:
    """Return the options that every backend has, and the budgets.

    Raises
    ------
    UsageError
        They do not fit.
    """
    common = {f: v for f, v in given.items() if f in Budgeted.__dataclass_fields__}
    return Budgeted(**{**common, "backend": AUTO})


def choose(
    source: Path, given: Mapping[str, Any], *, allow_pickle: bool = False,
    progress: Progress = SILENT,
) -> list[tuple[Proposal, str]]:  # fmt: skip
    """Return designs within the budgets, best first, each with why it was chosen.

    Without budgets this is the plainest backend. With budgets that is asked first, and the
    others only where it misses them, since to ask them takes longer. Where a rate is given, those
    whose designs are made for one are asked before.

    Raises
    ------
    TargetMissed
        None is: what each misses, and by how much.
    """
    budgets = budgets_of(given)
    plain = backend_named(DEFAULT)
    target = Target.of(budgets.target)
    net, _ = load_source(source, budgets, allow_pickle)
    if not budgets.budgeted:
        opts = Planning(net, target, given, budgets).options(plain)
        return [(Proposal(plain, opts, ""), "by --backend auto: no budget was given")]
    _refuse_other_logic(source, budgets, target)
    return within(Planning(net, target, given, budgets, progress))


def within(planning: Planning) -> list[tuple[Proposal, str]]:
    """Return the designs of a network within the budgets, see `choose`.

    Raises
    ------
    TargetMissed
        There is none.
    """
    plain = backend_named(DEFAULT)
    early: list[Proposal] = []
    late = [backend for backend in backends().values() if backend is not plain]
    told: list[Problem] = []
    if planning.budgets.samples_per_second is not None:
        for backend in [b for b in late if b.at_a_rate]:
            late.remove(backend)
            early += _asked(backend, planning, told)
        found = [p for p in early if not p.missed]
        if found:
            return [(p, f"by --backend auto: {p.figures}") for p in found]
    with planning.progress.step(f"estimate of the {plain.name} backend"):
        first = list(plain.proposals(_taken(plain, planning)))
    found = [p for p in first if not p.missed]
    if found:
        return [(p, f"by --backend auto: {p.figures}") for p in found]
    others = early
    told = [problem for p in first for problem in p.missed] + told
    for backend in late:
        others += _asked(backend, planning, told)
    fit = sorted((p for p in others if not p.missed), key=lambda p: -p.throughput)
    if not fit:
        told += [p for other in others for p in other.missed]
        raise TargetMissed(
            "no backend meets the budgets", where=planning.target.name, problems=told
        )
    outside = "; ".join(p.figures for p in first)
    why = f"by --backend auto: with {plain.title} it is {outside}, outside the budgets"
    beside = "; ".join(p.figures for p in fit[:3])
    return [(p, f"{why}; taken: {p.figures}; found: {beside}") for p in fit[:TRIES]]


def best(planning: Planning, name: str = AUTO) -> Proposal:
    """Return the design of a backend, or of the one `within` prefers, within the budgets.

    Raises
    ------
    UsageError
        No such backend, or it cannot build for the target.
    UnsupportedModel
        The backend does not take the network.
    TargetMissed
        There is no such design.
    """
    if name == AUTO:
        return within(planning)[0][0]
    backend = backend_named(name)
    proposals = list(backend.proposals(_taken(backend, planning)))
    fit = [p for p in proposals if not p.missed]
    if fit:
        return fit[0]
    if not proposals:
        why, fix = "it has no design for a network like this", f"--backend {AUTO}"
        raise UnsupportedModel("the backend proposes nothing", where=name, why=why, fix=fix)
    problems = [problem for p in proposals for problem in p.missed]
    raise TargetMissed(
        f"the {name} backend misses budgets", where=planning.target.name, problems=problems
    )


def _taken(backend: Backend, planning: Planning) -> Planning:
    """Return the planning of the network that a backend builds for the one that came in."""
    net = backend.taken(planning.net, planning.budgets)
    return planning if net is planning.net else replace(planning, net=net, _logic={})


def _asked(backend: Backend, planning: Planning, told: list[Problem]) -> list[Proposal]:
    """Return what a backend proposes; add to `told` why it cannot."""
    try:
        with planning.progress.step(f"estimate of the {backend.name} backend"):
            return list(backend.proposals(_taken(backend, planning)))
    except (TargetMissed, UnsupportedModel, UsageError) as error:
        own = error.problems or (Problem(error.where, f"{error.what}: {error.why}", error.fix),)
        told += [replace(p, where=f"{p.where} ({backend.name})") for p in own]
        return []


def _refuse_other_logic(source: Path, budgets: Budgeted, target: Target) -> None:
    """Raise UsageError where logic would be taken over whose nodes are not the target's LUTs."""
    if not budgets.reuses("logic"):
        return
    k = LogicNet.load(ir_path(source, "logic")).k
    if k != target.lut_size:
        raise UsageError(
            "LUTs cannot be counted on this run",
            where="--from",
            why=f"its LogicNet was made for another backend, with nodes of {k} inputs",
            fix="--from logic, or name the backend",
        )
