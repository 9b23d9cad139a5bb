"""The `nnlogic` command. Verbs are found by their place, and imported when they are used."""

from __future__ import annotations

import io
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

import click

from nnlogic.cli.errors import Guard
from nnlogic.cli.options import Session, session_options
from nnlogic.cli.verb import verb, verbs


class VerbGroup(click.Group):
    """Group of the verbs that are found; one is imported for its own use, all for the list."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs in the order of use."""
        return verbs()

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Return the command of a verb."""
        return verb(name)


def _version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from nnlogic import __version__
        from nnlogic.tools.revision import commit

        here = commit()
        click.echo(f"nnlogic {__version__}" + (f" (commit {here})" if here else ""))
        ctx.exit()


HELP = """Compile trained quantized networks to LUT logic that is proved equal.

\b
  nnlogic compile network.safetensors -o run
  nnlogic verify run
  nnlogic synth run
  nnlogic report run --html report.html

Results go to stdout, progress to stderr. Exit codes: 0 ok, 1 checks differ, 2 usage,
3 model not supported, 4 tool missing, 5 tool failed, 6 target missed, 70 bug.
"""


@click.group(cls=VerbGroup, help=HELP, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_version,
    help="Print the version and exit.",
)
@session_options
def cli() -> None:
    """Root of the verbs."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; errors are printed, never raised."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    session = Session()
    guard = Guard(session)
    with guard, _termination_interrupts():
        args = list(sys.argv[1:] if argv is None else argv)
        result = cli.main(args, prog_name="nnlogic", standalone_mode=False, obj=session)
        return result if isinstance(result, int) else 0
    return guard.exit_code


@contextmanager
def _termination_interrupts() -> Iterator[None]:
    # Tools run in sessions of their own: unless a terminated command unwinds, they live on.
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
