"""Random networks for a time, or the replay of a case."""

from __future__ import annotations

import hashlib
import json
import time
import traceback
import warnings
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import click
import hypothesis
from hypothesis import HealthCheck, Phase, given, settings

from . import cases
from .reference import Net
from .walk import Finding, Refused

BATCH = 40
"""Cases drawn from one seed."""
SHRINKING = 90
"""Seconds to find a smaller case that fails in the same way."""


@dataclass
class Campaign:
    """What was tried, and what was found.

    Attributes
    ----------
    until : float
        Of `time.monotonic`.
    keep : Path
        Where failing cases go.
    tried, refused : counts by way through the compiler
    seconds : seconds by way
    known : titles of findings, which are not reported again
    """

    until: float
    keep: Path
    tried: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    seconds: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    known: Counter[str] = field(default_factory=Counter)
    slowest: tuple[float, Net] = (0.0, {})
    started: float = field(default_factory=time.monotonic)
    shown: float = 0.0

    def one(self, case: Net) -> Finding | None:
        """Run a case; return what is wrong with it."""
        way, start = case["through"], time.monotonic()
        # Left behind by a case that never ends.
        cases.save(case, self.keep / "running.json")
        try:
            cases.run(case)
        except Refused as error:
            self.refused[way] += 1
            self.refusals[f"{way}: {str(error).splitlines()[0]}"] += 1
        except Finding as error:
            return error
        finally:
            spent = time.monotonic() - start
            self.tried[way] += 1
            self.seconds[way] += spent
            self.slowest = max(self.slowest, (spent, case), key=lambda item: item[0])
            self.progress()
        return None

    def progress(self) -> None:
        """Print a line, once a second at most."""
        now = time.monotonic()
        if now - self.shown < 1:
            return
        self.shown = now
        ways = ", ".join(f"{way} {n}" for way, n in sorted(self.tried.items()))
        click.echo(
            f"{now - self.started:6.0f} s, {max(0, self.until - now):5.0f} s left: "
            f"{self.tried.total()} cases ({ways}), {len(self.known)} findings",
            err=True,
        )

    def batch(self, seed: int, through: tuple[str, ...], simulate: bool) -> None:
        """Draw cases from a seed, and shrink the first that fails in a way not yet known."""
        failed: dict[str, tuple[Net, Finding]] = {}
        first: list[tuple[str, float]] = []

        @hypothesis.seed(seed)
        @settings(
            max_examples=BATCH,
            deadline=None,
            database=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
            report_multiple_bugs=False,
            print_blob=False,
        )
        @given(case=cases.cases(through, simulate=simulate))
        def attempt(case: Net) -> None:
            key = json.dumps(case, sort_keys=True)
            if key in failed:
                raise failed[key][1]
            if time.monotonic() > (first[0][1] + SHRINKING if first else self.until):
                return
            error = self.one(case)
            if error is None or error.title in self.known:
                return
            # While a case shrinks it must keep what is wrong with it.
            if not first or error.title == first[0][0]:
                first.append((error.title, time.monotonic()))
                failed[key] = case, error
                raise error

        try:
            attempt()
        except Finding as error:
            self.report(seed, *next(found for found in failed.values() if found[1] is error))

    def report(self, seed: int, case: Net, error: Finding) -> None:
        """Keep a failing case and print how to see it again."""
        self.known[error.title] += 1
        name = hashlib.sha256(json.dumps(case, sort_keys=True).encode()).hexdigest()[:10]
        path = self.keep / f"{name}.json"
        cases.save(case, path)
        cause = error.__cause__ or error
        click.echo("".join(traceback.format_tb(cause.__traceback__)[-3:]), err=True)
        click.echo(f"FOUND {error}\n  seed {seed}: {json.dumps(case)}")
        click.echo(f"  python -m tests.fuzz --replay {path}")

    def summary(self) -> None:
        """Print what was done."""
        for way, n in sorted(self.tried.items()):
            click.echo(
                f"{way:8} {n:5} cases, {self.refused[way]:5} refused, {self.seconds[way]:7.1f} s"
            )
        for why, n in self.refusals.most_common(12):
            click.echo(f"  refused {n:4}: {why}")
        seconds, case = self.slowest
        path = self.keep / "slowest.json"
        cases.save(case, path)
        click.echo(f"the slowest case took {seconds:.0f} s: {path}")
        click.echo(f"{self.tried.total()} cases, {len(self.known)} findings")


@click.command()
@click.option("--minutes", default=1.0, show_default=True, help="How long to go on.")
@click.option("--seed", default=None, type=int, help="Of the first batch; by default the time.")
@click.option("--through", multiple=True, type=click.Choice(cases.THROUGH), help="Only these ways.")
@click.option("--simulate", is_flag=True, help="Simulate some of the compiled networks too.")
@click.option("--keep", default=Path("build/fuzz"), type=Path, help="Folder for failing cases.")
@click.option("--replay", type=Path, help="Run the case in a file, and nothing else.")
def main(
    minutes: float,
    seed: int | None,
    through: tuple[str, ...],
    simulate: bool,
    keep: Path,
    replay: Path | None,
) -> None:
    """Compile random networks and compare every stage with an independent evaluation."""
    warnings.simplefilter("error")
    if replay is not None:
        try:
            cases.run(cases.load(replay))
        except Refused as error:
            click.echo(f"refused: {error}")
        click.echo("nothing found")
        return
    campaign = Campaign(time.monotonic() + 60 * minutes, keep)
    seed = int(time.time()) if seed is None else seed
    click.echo(f"seed {seed}", err=True)
    while time.monotonic() < campaign.until:
        campaign.batch(seed, through or cases.THROUGH, simulate)
        seed += 1
    campaign.summary()
    if campaign.known:
        raise SystemExit(1)
