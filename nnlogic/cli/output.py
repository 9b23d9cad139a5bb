"""Results on stdout: rendered for people, or JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from nnlogic.cli.options import Session
from nnlogic.core.inert import visible

if TYPE_CHECKING:
    from pathlib import Path

    from nnlogic.report.model import Report


def print_json(data: Any) -> None:
    """Print JSON data."""
    click.echo(json.dumps(data, indent=1, allow_nan=False))


def print_report(report: Report) -> None:
    """Render a report."""
    from rich.console import Console

    from nnlogic.report.terminal import render

    render(report, Console())


def finish_run(session: Session, path: Path, status: str, report: Report) -> int:
    """Print the result of a verb that made or changed a run; return its exit code."""
    if session.json:
        print_json({"path": str(path), "status": status, "report": report.to_json()})
    else:
        print_report(report)
        click.echo(f"\nrun: {visible(path)}")
    return exit_code(report)


def exit_code(report: Report) -> int:
    """Return 1 for a report with a failed check, or with one that is of other bytes."""
    return int(report.failed or report.stale or report.status == "stale")
