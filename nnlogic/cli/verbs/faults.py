"""``nnlogic faults``: what upsets and stuck signals do to the answers of a network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nnlogic.cli.options import Session, jobs_option, pass_session, verb_options
from nnlogic.core.inert import visible

if TYPE_CHECKING:
    from nnlogic.faults import Effects, Kind
    from nnlogic.run.faults_run import Faults

PLACE = 80
SHOWN = 10


@click.command("faults", short_help="Inject upsets and stuck signals into a run's network.")
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--rows",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Samples (default: the rows of the run).",
)
@click.option("--label", metavar="NAME", help="Column of the labels in --rows.")
@click.option(
    "--multiple",
    metavar="K",
    type=click.IntRange(min=2),
    help="Also flip K configuration bits at once, at random.",
)
@click.option(
    "--trials",
    metavar="N",
    type=click.IntRange(min=1),
    default=200,
    show_default=True,
    help="Random sets of bits for --multiple.",
)
@click.option(
    "--triplicate",
    metavar="N",
    type=click.IntRange(min=1),
    help="Also try it with the N LUTs nearest the outputs in triplicate.",
)
@click.option(
    "--parity",
    "registers",
    is_flag=True,
    help="Also say what a parity bit for each rank of registers would see and cost.",
)
@click.option(
    "-o",
    "--out",
    metavar="FILE.csv",
    type=click.Path(path_type=Path),
    help="Write a line for each fault here.",
)
@jobs_option()
@verb_options
@pass_session
def command(session: Session, run: Path, out: Path | None, **options: Any) -> int:
    """Inject every single fault into the logic of RUN, for all of its rows.

    Upsets of a signal for one sample, signals stuck at 0 and at 1, and every configuration bit of
    every LUT. Lost are right answers, less wrong ones that a fault makes right.
    """
    click.echo(f"nnlogic: injecting faults into {visible(run)}", err=True)
    from nnlogic.cli.output import print_json
    from nnlogic.cli.progress import open_progress
    from nnlogic.run.faults_run import faults, write_table

    found = faults(run, progress=open_progress(session.verbose), **options)
    if out is not None:
        write_table(out, found)
    if session.json:
        print_json(_data(found, options["multiple"]))
    else:
        _print(found, options["multiple"])
    return 0


def _summary(kind: Kind, effects: Effects) -> dict[str, float]:
    total = max(1, effects.samples)
    harm = kind.answers if effects.right is None else kind.lost
    quiet = (kind.any_output == 0).mean() if kind.count else 1.0
    return {
        "faults": kind.count,
        "without_effect_percent": round(100 * float(quiet), 2),
        "changed_mean_percent": round(100 * float(kind.answers.mean()) / total, 4),
        "lost_mean_percent": round(100 * float(harm.mean()) / total, 4),
        "lost_worst_percent": round(100 * float(harm.max(initial=0)) / total, 4),
    }


def _data(found: Faults, multiple: int | None) -> dict[str, Any]:
    effects = found.effects
    ranked = [
        {"node": i, "origin": found.net.origins[i], "harm": harm}
        for i, harm in found.ranked()[:SHOWN]
    ]
    data: dict[str, Any] = {
        "samples": effects.samples,
        "right": effects.right,
        "injections": found.injections,
        "seconds": round(found.seconds, 3),
        "kinds": {name: _summary(kind, effects) for name, kind in effects.kinds.items()},
        "critical": ranked,
    }
    if found.several is not None:
        data["multiple"] = {"bits": multiple, "trials": found.several.tolist()}
    if found.hardened is not None:
        kinds = found.hardened.kinds.items()
        hard = {name: _summary(kind, found.hardened) for name, kind in kinds}
        data["triplicated"] = {"luts": found.hardened_luts, "kinds": hard}
    if found.parity is not None:
        data["parity"] = {
            "ranks": list(found.parity.ranks),
            "luts": found.parity.luts,
            "flip_flops": found.parity.flip_flops,
            "seen_percent": round(100 * found.seen_by_parity, 2),
        }
    return data


def _print(found: Faults, multiple: int | None) -> None:
    effects = found.effects
    right = ""
    if effects.right is not None:
        right = f", {100 * effects.right / max(1, effects.samples):.2f} % right without a fault"
    click.echo(f"{effects.samples:,} samples ({visible(found.what)}){right}")
    speed = found.injections / max(found.seconds, 1e-9)
    click.echo(f"{found.injections:,} injections, exhaustive; {speed:,.0f} a second")
    word = "lost" if effects.right is not None else "changed"
    click.echo(f"{'fault':<12}{'count':>10}{'no effect':>11}{word + ', mean':>15}{'worst':>10}")
    for name, kind in effects.kinds.items():
        _line(name, _summary(kind, effects))
    if found.several is not None:
        lost = 100 * found.several[:, 0 if effects.right is None else 1] / max(1, effects.samples)
        click.echo(
            f"{multiple} table bits at once (sampled n={len(lost)}): "
            f"{word} {lost.mean():.4f} % in the mean, {lost.max():.2f} % at worst"
        )
    click.echo("most critical LUTs (answers that their table bits cost, summed)")
    for node, harm in found.ranked()[:SHOWN]:
        click.echo(f"  {visible(found.net.origins[node]):<36}{harm:>10,.0f}")
    if found.hardened is not None:
        before, now = found.net.stats()["luts"], found.hardened_luts
        click.echo(f"in triplicate near the outputs: {before:,} -> {now:,} LUTs")
        for name, kind in found.hardened.kinds.items():
            _line(name, _summary(kind, found.hardened))

    if found.parity is not None:
        ranks = found.parity.ranks
        click.echo(
            f"parity of {sum(ranks):,} registers in {len(ranks)} ranks: {found.parity.luts:,} LUTs "
            f"and {found.parity.flip_flops} flip-flops more"
        )
        share = f"{100 * found.seen_by_parity:.1f} %"
        click.echo(f"  sees every upset of one register: {share} of what upsets cost")


def _line(name: str, s: dict[str, float]) -> None:
    click.echo(
        f"{name:<12}{s['faults']:>10,}{s['without_effect_percent']:>9.1f} %"
        f"{s['lost_mean_percent']:>13.4f} %{s['lost_worst_percent']:>8.2f} %"
    )
