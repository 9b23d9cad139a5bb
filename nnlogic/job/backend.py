"""The contract of a backend, and the backends there are: each folder of `nnlogic.backends`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from nnlogic.core.errors import CheckpointError, Problem, UsageError
from nnlogic.core.plugins import discover
from nnlogic.core.progress import Progress
from nnlogic.job.option import Option, options_of
from nnlogic.job.options import DEFAULT, Options

if TYPE_CHECKING:
    from nnlogic.core.errors import TargetMissed
    from nnlogic.flows.targets import Target
    from nnlogic.job.context import Context
    from nnlogic.job.directory import Run
    from nnlogic.job.stage import Stage
    from nnlogic.job.tools import Ask
    from nnlogic.plan.proposal import Planning, Proposal
    from nnlogic.quant.ir import QuantNet
    from nnlogic.report.model import Report
    from nnlogic.report.rows import Command

GROUP = "nnlogic.backends"
AUTO = "auto"


@dataclass(frozen=True)
class Simulate:
    """What `verify` was asked for.

    Attributes
    ----------
    simulators : tuple of str
        Of ``"verilator"`` and ``"icarus"``.
    require_all : bool
        Whether one that is missing is an error.
    """

    simulators: tuple[str, ...]
    require_all: bool
    progress: Progress


class Backend:
    """What computes the logic of a network.

    Everything a backend needs stands in four folders of its name: here, `hw`, `sim` and the tests.
    One is an object of a class derived from this one, called ``BACKEND`` in the module ``backend``
    of its folder; other packages name theirs by an entry point of the group ``nnlogic.backends``.

    Attributes
    ----------
    name : str
        As given to ``--backend``, and written in a run.
    title : str
        In words, for help texts.
    options : type
        Its options, derived from `nnlogic.job.options.Options`.
    aliases : tuple of str
        Other names ``--backend`` takes.
    output : str
        Pattern of what a whole run holds, relative to it: what can be simulated and synthesized.
    at_a_rate : bool
        Whether its designs get smaller where fewer samples per second are asked for: with such a
        rate ``--backend auto`` asks it before the plainest.
    later : mapping of str to str
        Options that stages of this backend read after the last one that `Option.until` says.
    without : mapping of str to (str, str)
        Options of others that one might look for here: why there are none, and what to do.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    options: ClassVar[type[Options]] = Options
    at_a_rate: ClassVar[bool] = False
    aliases: ClassVar[tuple[str, ...]] = ()
    output: ClassVar[str] = "rtl/*.v"
    later: ClassVar[Mapping[str, str]] = {}
    without: ClassVar[Mapping[str, tuple[str, str]]] = {}

    def taken(self, net: QuantNet, opts: Options) -> QuantNet:
        """Return a network in the form in which this backend takes it.

        Here that is as it came in, or with its quantizer inside where raw words are asked for.

        Raises
        ------
        UsageError
            It cannot be taken as the options say.
        """
        if opts.raw is None:
            return net
        from nnlogic.quant.encoder import with_encoder
        from nnlogic.quant.word import parse_words

        return with_encoder(net, parse_words(opts.raw, [p.name for p in net.inputs]))

    def prepare(self, ctx: Context) -> None:
        """Refuse, before any work, what cannot be built.

        Raises
        ------
        UsageError, TargetMissed
            The target or the options do not do.
        """

    def stages(self, ctx: Context) -> Sequence[Stage]:
        """Return the stages of a compile run, in order."""
        raise NotImplementedError

    def open_ladder(self, report: Report, net: QuantNet) -> Report:
        """Return a report with the backend's own rungs, 0 and 4 to 6, not run."""
        raise NotImplementedError

    def commands(self, ctx: Context) -> list[Command]:
        """Return the commands that make a run again, and what one does with it."""
        raise NotImplementedError

    def simulate(self, run: Run, ask: Simulate) -> Report:
        """Simulate the Verilog of a run and plant faults; return the report with the checks.

        Raises
        ------
        ToolNotFound
            A simulator that is required is missing.
        """
        raise NotImplementedError

    def refuse_synth(self, run: Run, target: Target, primitives: bool) -> None:
        """Raise UsageError where a run cannot be synthesized like this."""

    def keeps_luts(self, run: Run, target: Target) -> bool:
        """Whether a run is LUTs that the target's cells can hold one by one."""
        return False

    def synth(self, run: Run, ask: Ask) -> tuple[Report, TargetMissed | None]:
        """Synthesize a run, place and route it; return the report, and a clock that is missed."""
        raise NotImplementedError

    def forecast(self, net: QuantNet, target: Target, opts: Options) -> str:
        """Return in words what a network would take here; nothing where it would not go.

        In seconds, and without a tool: it stands beside a budget that another backend misses.

        Parameters
        ----------
        net : QuantNet
        target : Target
        opts : Options
            Of the backend that misses the budget.
        """
        return ""

    def proposals(self, planning: Planning) -> Iterable[Proposal]:
        """Return designs of this backend under the budgets of ``--backend auto``; none if never."""
        return ()

    @property
    def proposes(self) -> bool:
        """Whether it says what a design would take before that is compiled."""
        return type(self).proposals is not Backend.proposals

    def saved_options(self, config: Mapping[str, Any], folder: Path) -> Options:
        """Return the options of a finished run, from what its report says of them."""
        known = options_of(self.options)
        return self.options(**{name: v for name, v in config.items() if name in known})

    def options_of(self, run: Run) -> Options:
        """Return the options a run was made with.

        Raises
        ------
        CheckpointError
            Its report says what no option can be.
        """
        try:
            return self.saved_options(run.report.config, run.path)
        except UsageError as error:
            raise CheckpointError(
                "the report has options that do not fit", where=str(run.path / "report.json"),
                problems=error.problems, fix="compile the network again",
            ) from error  # fmt: skip

    def wrote(self, folder: Path) -> bool:
        """Whether a run that does not say so, made by an older nnlogic, is of this backend."""
        return False


@cache
def backends() -> Mapping[str, Backend]:
    """Return all backends by name.

    Raises
    ------
    UsageError
        An installed package names something else, or a name is taken twice.
    """
    found: dict[str, Backend] = {}
    for item in discover("nnlogic.backends", "BACKEND", GROUP, inside="backend"):
        if not isinstance(item, Backend):
            raise UsageError(f"not a backend: {item!r}", fix="an object of a nnlogic Backend")
        for name in (item.name, *item.aliases):
            if name in found or name == AUTO:
                raise UsageError(f"two backends of the name {name}", fix="uninstall one of them")
        found[item.name] = item
    return found


def backend_named(name: str) -> Backend:
    """Return a backend by its name or an alias.

    Raises
    ------
    UsageError
        There is none.
    """
    for backend in backends().values():
        if name in (backend.name, *backend.aliases):
            return backend
    known = ", ".join([*backends(), AUTO])
    raise UsageError("no such backend", where="--backend", why=f"{name!r} is not one of {known}")


def backend_of(run: Run) -> Backend:
    """Return the backend that made a run."""
    made_by = run.report.backend
    if made_by is not None:
        try:
            return backend_named(made_by)
        except UsageError as error:
            raise CheckpointError(
                "a run of a backend that is not installed",
                where=str(run.path / "report.json"),
                why=error.why,
                fix="install the package it is from, or compile the network again",
            ) from error
    old = [b for b in backends().values() if b.wrote(run.path)]
    return old[0] if old else backend_named(DEFAULT)


def all_options() -> dict[str, tuple[Option, Any]]:
    """Return what users may set, by field name: for every backend, then what only some have."""
    out = options_of(Options)
    for backend in backends().values():
        out |= {n: found for n, found in options_of(backend.options).items() if n not in out}
    return out


def chosen_backend(given: Mapping[str, Any]) -> str:
    """Return the name that options ask for; an option may imply the backend that has it.

    Raises
    ------
    UsageError
        Options that no backend has, or a backend that there is not.
    """
    unknown = sorted(set(given) - set(all_options()) - {"backend"})
    if unknown:
        raise UsageError("unknown option", why=", ".join(unknown))
    name = str(given.get("backend", DEFAULT))
    if name != DEFAULT:
        return name if name == AUTO else backend_named(name).name
    known = all_options()
    implied = [
        n
        for n, (what, default) in known.items()
        if what.implies and given.get(n) not in (None, default)
    ]
    for backend in backends().values():
        if any(n in options_of(backend.options) for n in implied):
            return backend.name
    return name


def refuse_unplanned(given: Mapping[str, Any]) -> None:
    """Raise UsageError for options that only a backend that is named takes."""
    known = all_options()
    problems = []
    for name, (what, default) in known.items():
        if not what.planned and given.get(name) not in (None, default):
            users = [b.name for b in backends().values() if name in options_of(b.options)]
            why = f"of the backends {' and '.join(users)} alone, and --backend is {AUTO}"
            fix = f"--backend {users[-1]}"
            problems.append(Problem(what.flag(name), why, fix))
    if problems:
        raise UsageError("options that do not fit", problems=problems)


def make_options(backend: Backend, given: Mapping[str, Any], *, strict: bool = True) -> Options:
    """Return the options of a backend from what was given by name.

    Parameters
    ----------
    backend : Backend
    given : mapping
        Field names of any backend. What has the value of its default counts as not given.
    strict : bool
        Refuse what this backend does not have, rather than leave it out.

    Raises
    ------
    UsageError
        Options that do not fit; all of them are named.
    """
    known, own = all_options(), options_of(backend.options)
    problems = list(_foreign(backend, given, known)) if strict else []
    mine = {name: value for name, value in given.items() if name in own}
    try:
        opts = backend.options(**mine, backend=str(given.get("backend", backend.name)))
    except UsageError as error:
        problems = [*error.problems, *problems]
    if problems:
        raise UsageError("options that do not fit", problems=problems)
    return opts


def _foreign(
    backend: Backend, given: Mapping[str, Any], known: Mapping[str, tuple[Option, Any]]
) -> Iterator[Problem]:
    own = options_of(backend.options)
    for name, value in given.items():
        if name == "backend" or name in own or value in (None, known[name][1]):
            continue
        users = [b.name for b in backends().values() if name in options_of(b.options)]
        why = f"the {backend.name} backend does not use it"
        other = [AUTO] if known[name][0].planned else []
        fix = " or ".join(f"--backend {user}" for user in [*users, *other])
        why, fix = backend.without.get(name, (why, fix))
        yield Problem(known[name][0].flag(name), why, fix)
