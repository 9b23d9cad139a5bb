"""Files of a finished run: its stages and what else stands there; saved IRs of every kind."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .. import texts
from ..commands import command, load_archive, verify_without_simulation
from ..format import Format, Maker, Mutation
from ..kit import EFFORT, JSON, NPZ, SAFETENSORS, TABLES, beside, files, made
from .rows import ABSURD_NPZ

ARCHIVES = Path(__file__).parents[3] / "core/data/archives"
STAGES = ("quant", "tables", "simplified", "logic", "design")


def _stage(name: str) -> Format:
    """A stage."""
    file = f"run/ir/{name}.safetensors"
    after = {"quant": "tables", "simplified": "logic", "tables": "logic"}.get(name, "design")
    commands = (
        command(f"inspect {file}"),
        command(f"compile run -o out --from {after} --stop-after {after} {EFFORT}", 1),
        command("verify run", 1, main=verify_without_simulation),
    )
    return Format(f"stage-{name}", file, made(file), commands, SAFETENSORS, around=beside("run"))


def _archive(path: Path) -> Format:
    """A saved IR of any kind."""
    commands = (command(f"{path.stem.partition('_')[0]} f.nnl", main=load_archive),)
    return Format(f"ir-{path.stem}", "f.nnl", files(path), commands, SAFETENSORS)


def _other(name: str, mutations: Sequence[Mutation], whole: Sequence[Maker] = ()) -> Format:
    """Another file."""
    commands = (
        command("inspect run", 1, 2),
        command("report run --html out.html", 1, 2),
        command("report run --json", 1, 2),
        command("verify run", 1, 2, main=verify_without_simulation),
        command(f"compile run --from tables {TABLES}", 1, 2),
    )
    file = f"run/{name}"
    return Format(
        f"run-{Path(name).name}", file, made(file), commands, mutations, whole, beside("run")
    )


FORMATS = (
    *map(_stage, STAGES),
    *map(_archive, sorted(ARCHIVES.iterdir())),
    *(_other(f"{name}.json", JSON) for name in ("report", "config", "manifest")),
    _other("STATUS", texts.TEXT),
    _other("sim/rows.npz", NPZ, ABSURD_NPZ),
)
