"""What all verbs share: the session and its options."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


@dataclass
class Session:
    """How one invocation talks to its user.

    Attributes
    ----------
    json : bool
        Print machine-readable results, and errors, on stdout.
    verbose : int
        0 progress only, 1 log lines, 2 debug lines.
    traceback : bool
        Show Python tracebacks of errors.
    interrupted : str
        What is true on disk when the user interrupts.
    """

    json: bool = False
    verbose: int = 0
    traceback: bool = False
    interrupted: str = "Nothing was written."


def _remember(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    # Given before or after the verb: either place counts, neither resets the other.
    if value and param.name:
        setattr(ctx.find_object(Session), param.name, value)


_VERBOSE = click.option(
    "-v",
    "--verbose",
    count=True,
    expose_value=False,
    callback=_remember,
    help="Show log lines; twice for debug lines.",
)
_TRACEBACK = click.option(
    "--traceback",
    is_flag=True,
    expose_value=False,
    callback=_remember,
    help="Show the Python traceback of an error.",
)
_JSON = click.option(
    "--json",
    is_flag=True,
    expose_value=False,
    callback=_remember,
    help="Print the result as JSON on stdout.",
)


def session_options(function: F) -> F:
    """Add ``--verbose`` and ``--traceback``."""
    return _VERBOSE(_TRACEBACK(function))


def verb_options(function: F) -> F:
    """Add the options every verb has: ``--json``, ``--verbose``, ``--traceback``."""
    return _JSON(session_options(function))


def tool_options(default: str) -> Callable[[F], F]:
    """Return a decorator that adds the limits of external programs; `default` is what help says."""

    def add(function: F) -> F:
        for name, metavar, text in (
            ("--tool-output", "MB", "Megabytes an external program may print"),
            ("--tool-timeout", "SECONDS", "Seconds an external program may take"),
        ):
            function = click.option(
                name,
                metavar=metavar,
                type=click.FloatRange(min=0, min_open=True),
                help=f"{text} (default: {default}).",
            )(function)
        return function

    return add


data_option = click.option(
    "--data", "data_dir", metavar="DIR", type=click.Path(path_type=Path),
    help="Directory of the data sets.",
)  # fmt: skip


def epoch_options(each: str) -> Callable[[F], F]:
    """Return a decorator that adds how long `each` network of a recipe is trained."""

    def add(function: F) -> F:
        rows = click.option(
            "--epoch-rows", default=0, metavar="N", help="Rows per epoch (default: the recipe's)."
        )
        epochs = click.option(
            "--epochs", default=0, metavar="N", help=f"Of {each} (default: the recipe's)."
        )
        return epochs(rows(function))

    return add


def effort_option(what: str, *words: str, default: str = "fast") -> Callable[[F], F]:
    """Return a decorator that adds the time that is spent on `what`."""
    return click.option(
        "--effort", type=click.Choice(words), default=default, show_default=True,
        help=f"Time spent on {what}.",
    )  # fmt: skip


def jobs_option(text: str = "Parallel jobs (default: all cores).") -> Callable[[F], F]:
    """Return a decorator that adds how many processes work."""
    return click.option("--jobs", metavar="N", type=click.IntRange(min=1), help=text)


def folder_option(text: str, *, required: bool = False) -> Callable[[F], F]:
    """Return a decorator that adds a folder to write, `text` says which."""
    return click.option(
        "-o", "--out", required=required, metavar="DIR", type=click.Path(path_type=Path), help=text
    )


pass_session = click.make_pass_decorator(Session)
