"""The first rung of the ladder, what came in against QuantNet: one module per format of input."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from nnlogic.checks.verdict import Verdict
from nnlogic.core.errors import UsageError
from nnlogic.frontend import Format, is_source, made_by
from nnlogic.quant.ir import QuantNet

Check = Callable[[], Verdict]


@dataclass(frozen=True)
class FirstRung:
    """How networks of a format are compared with the files they came from.

    Attributes
    ----------
    title : str
        What is checked, for instance ``"input Verilog = QuantNet"``.
    check : callable
        Takes the network, what was compiled (a directory when a run is continued) and the seconds
        that an external program may take; returns the check, ready to be called, or why there is
        none.
    """

    title: str
    check: Callable[[QuantNet, Path, float], Check | str]


def of_source(
    title: str, check: Callable[..., Verdict], holds: str, *, timed: bool = False
) -> FirstRung:
    """Return the rung of a format whose networks are compared with the file they came from.

    Parameters
    ----------
    title : str
        See `FirstRung`.
    check : callable
        Takes the network and its file, and where `timed` the keyword `timeout` in seconds.
    holds : str
        What the file holds: ``"the trees"``.
    timed : bool
        Whether an external program takes part.
    """

    def first(net: QuantNet, source: Path, timeout: float) -> Check | str:
        if is_source(net, source):
            options = {"timeout": timeout} if timed else {}
            return partial(check, net, source, **options)
        return f"{source.name} does not hold {holds} it was made from"

    return FirstRung(title, first)


def rung_of(fmt: Format) -> FirstRung | None:
    """Return the first rung of a format; None when its importer brings none.

    Raises
    ------
    UsageError
        The importer brings something else.
    """
    if find_spec(f"{__name__}.{fmt.name}") is not None:
        rung = import_module(f"{__name__}.{fmt.name}").RUNG
    else:
        rung = fmt.first_rung()
    if rung is not None and not isinstance(rung, FirstRung):
        raise UsageError(
            f"the importer {fmt.name} has no usable first rung",
            why=f"first_rung() returns {rung!r}",
            fix="a nnlogic.checks.inputs.FirstRung, or None",
        )
    return rung


def first_rung(net: QuantNet) -> FirstRung:
    """Return the first rung of a network."""
    fmt = made_by(net)
    if fmt is None:
        title = net.info["format"]
        return _none(f"the importer of {title} is not installed")
    return rung_of(fmt) or _none(f"the importer {fmt.name} brings no check")


def _none(why: str) -> FirstRung:
    return FirstRung("input = QuantNet", lambda net, source, timeout: why)
