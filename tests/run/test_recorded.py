"""Options recorded in a run hold for what goes on from it, and each change is said."""

from __future__ import annotations

import json

import numpy as np
import pytest

import nnlogic
from nnlogic.core.errors import UsageError
from nnlogic.job.rows import read_saved
from nnlogic.report.model import Report
from nnlogic.report.terminal import render
from nnlogic.run import open_run, synth


@pytest.fixture(scope="module")
def made(tmp_path_factory, make_net):
    """A run for another target than the default, with rows, at another effort."""
    folder = tmp_path_factory.mktemp("made")
    make_net(4, widths=(4, 3), features=4).save(folder / "toy.safetensors")
    rng = np.random.default_rng(0)
    np.savez(folder / "mine.npz", X=rng.normal(size=(50, 4)), y=rng.integers(0, 3, 50))
    return nnlogic.compile(
        folder / "toy.safetensors",
        folder / "run",
        target="xcup",
        clock=100.0,
        effort="fast",
        stream=False,
        rows=folder / "mine.npz",
        tool_timeout=500.0,
        jobs=1,
    )


def without(config, *names):
    return {name: value for name, value in config.items() if name not in names}


def log_of(run):
    return [line.split("not as in ")[1] for line in (run.path / "nnlogic.log").read_text()
            .splitlines() if "not as in" in line]  # fmt: skip


@pytest.mark.parametrize("start", ["quant", "tables", "logic", "design", "rtl"])
def test_what_is_not_given_is_as_it_was(made, tmp_path, start):
    again = nnlogic.compile(made.path, tmp_path / "again", start_from=start)
    assert again.report.changes == ()
    config = json.loads((again.path / "config.json").read_text())
    assert config["target"] == again.report.target == "xcup"
    assert without(config, "start_from") == without(made.report.config, "start_from")
    assert log_of(again) == []
    for part, source in (("total", "estimate"),):
        assert again.report.resource(part, source).luts == made.report.resource(part, source).luts
    rows, saved = (read_saved(run.path / "sim" / "rows.npz")[0] for run in (made, again))
    assert (rows.codes == saved.codes).all()
    assert rows.what == saved.what == "50 rows of mine.npz"
    assert again.report.accuracy == made.report.accuracy


def test_what_is_given_anew_changes_and_is_said(made, tmp_path, capsys):
    again = nnlogic.compile(
        made.path, tmp_path / "again", start_from="logic", target="ecp5", effort="normal",
        levels_per_stage=2,
    )  # fmt: skip
    said = (
        "target: xcup -> ecp5",
        "clock: 100.0 -> none",
        "levels-per-stage: none -> 2",
        "effort: fast -> normal",
    )
    assert again.report.changes == said
    assert log_of(again) == [f"{made.path}: {change}" for change in said]
    assert Report.load(again.path).changes == said
    from rich.console import Console

    render(again.report, Console(width=200))
    shown = capsys.readouterr().out
    assert all(change in shown for change in said)
    page = (again.path / "report.html").read_text()
    assert "effort: fast -&gt; normal" in page


def test_a_default_that_is_asked_for_is_given(made, tmp_path):
    again = nnlogic.compile(made.path, tmp_path / "r", start_from="tables", effort="normal")
    assert again.report.changes == ("effort: fast -> normal",)


def test_another_backend_keeps_what_it_knows(made, tmp_path):
    again = nnlogic.compile(made.path, tmp_path / "r", start_from="tables", backend="dsp", dsps=2)
    assert again.report.backend == "dsp"
    assert again.report.target == "xcup"
    assert again.report.changes == ("backend: lut -> dsp", "dsps: none -> 2")
    third = nnlogic.compile(again.path, tmp_path / "s", start_from="logic", target="xc7")
    assert (third.report.backend, third.report.config["dsps"]) == ("dsp", 2)
    assert third.report.changes == ("target: xcup -> xc7",)


def test_what_would_change_nothing_is_refused(made, tmp_path):
    with pytest.raises(UsageError) as refused:
        nnlogic.compile(
            made.path, tmp_path / "r", start_from="design", effort="high", table_limit=9
        )
    problems = {p.where: (p.why, p.fix) for p in refused.value.problems}
    nothing = "changes nothing from design on"
    assert problems == {
        "--effort": (nothing, "--from logic, or earlier"),
        "--table-limit": (nothing, "--from tables, or earlier"),
    }
    assert not (tmp_path / "r").exists()
    same = nnlogic.compile(made.path, tmp_path / "r", start_from="design", effort="fast")
    assert same.report.changes == ()


def test_rows_that_a_run_does_not_have_are_said_to_be_gone(made, tmp_path):
    stopped = nnlogic.compile(made.path, tmp_path / "half", start_from="quant", stop_after="tables")
    assert stopped.report.config["rows"] == "mine.npz"
    (stopped.path / "sim" / "rows.npz").unlink()
    again = nnlogic.compile(stopped.path, tmp_path / "r", start_from="tables")
    assert again.report.changes == ("rows: mine.npz -> none",)
    assert again.status == "compiled"


def test_the_command_line_gives_only_what_was_typed(made, tmp_path):
    from nnlogic.cli.main import main

    words = ["compile", made.path, "-o", tmp_path / "r", "--from", "logic", "--effort", "high"]
    assert main([str(word) for word in words]) == 0
    found = open_run(tmp_path / "r").report
    assert (found.target, found.changes) == ("xcup", ("effort: fast -> high",))
    assert found.config["tool_timeout"] == 500.0


def test_a_target_of_ones_own_holds(made, tmp_path):
    from pathlib import Path

    example = Path(__file__).parents[2] / "examples" / "extending" / "target" / "up5k.toml"
    first = nnlogic.compile(made.path, tmp_path / "a", start_from="logic", target=example)
    assert first.report.changes == ("target: xcup -> up5k",)
    second = nnlogic.compile(first.path, tmp_path / "b", start_from="logic")
    assert (second.report.target, second.report.changes) == ("up5k", ())


def test_a_synthesis_for_another_target_says_so_until_the_next(made, tmp_path):
    run = nnlogic.compile(made.path, tmp_path / "r", start_from="design")
    done = synth(run.path, target="xc7", pnr=False, clock=90.0)
    said = ("synthesis, target: xcup -> xc7", "synthesis, clock: 100.0 -> 90.0")
    assert done.report.changes == said
    assert synth(run.path, target="xcup", pnr=False).report.changes == ()
