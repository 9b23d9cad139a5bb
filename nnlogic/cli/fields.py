"""Options of a dataclass as options of a command: nothing is stated twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from nnlogic.job.option import Option

F = TypeVar("F", bound=Callable[..., Any])


def with_options(fields: Mapping[str, tuple[Option, Any]]) -> Callable[[F], F]:
    """Return a decorator that adds an option for each field, in their order."""

    def add(function: F) -> F:
        for name, (what, default) in reversed(list(fields.items())):
            function = _click(name, what, default)(function)
        return function

    return add


def _click(name: str, what: Option, default: Any) -> Callable[[F], F]:
    flag: dict[str, Any] = {"is_flag": True} if what.kind is bool else {}
    return click.option(
        what.flags or what.flag(name),
        name,
        default=default,
        type=_type(what),
        metavar=what.metavar or None,
        show_default=what.shown,
        help=what.help,
        **flag,
    )


def _type(what: Option) -> Any:
    if what.choices:
        return click.Choice(list(what.choices))
    if what.kind is Path:
        return click.Path(path_type=Path)
    least = what.above if what.above is not None else what.least
    open_below = what.above is not None
    if what.kind is int:
        whole = int(least) + open_below if least is not None else None
        return click.IntRange(whole, what.most if what.most is None else int(what.most))
    if what.kind is float:
        return click.FloatRange(least, what.most, min_open=open_below)
    return what.kind
