import inspect
import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from nnlogic.cli.verb import FOLDER, verbs
from nnlogic.report.model import Report
from nnlogic.report.rows import Check
from nnlogic.tools import revision

COMPILE = ("compile", "net.safetensors", "-o", "run")
HEAVY = (
    "torch",
    "numba",
    "amaranth",
    "joblib",
    "rich",
    "numpy",
    "safetensors",
    "pyeda",
    "networkx",
)
VERBS = ("inspect", "compile", "verify", "synth", "report", "train", "doctor")


def in_new_process(code, **env):
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **env},
    )


@pytest.mark.parametrize("args", [["--help"], ["--version"], *([v, "--help"] for v in VERBS)])
def test_help_imports_nothing_heavy(args):
    code = (
        "import sys; from nnlogic.cli.main import main\n"
        f"code = main({args!r})\n"
        f"heavy = [m for m in {HEAVY!r} if m in sys.modules]\n"
        "print('heavy', heavy, file=sys.stderr); sys.exit(code)"
    )
    done = in_new_process(code)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "heavy []\n"
    assert "nnlogic" in done.stdout


def test_version(nnlogic, monkeypatch):
    import nnlogic as package

    monkeypatch.setattr(revision, "commit", lambda: None)
    assert nnlogic("--version").out == f"nnlogic {package.__version__}\n"
    monkeypatch.setattr(revision, "commit", lambda: "0123abc+dirty")
    assert nnlogic("--version").out == f"nnlogic {package.__version__} (commit 0123abc+dirty)\n"


def test_help_lists_every_verb(nnlogic):
    out = nnlogic("-h").out
    assert [v for v in VERBS if f"\n  {v} " not in out] == []


def test_compile_passes_its_options_on(nnlogic, fake_run):
    got = nnlogic(
        *COMPILE, "--target", "ice40", "--clock", "120", "--effort", "high", "--no-stream",
        "--rows", "rows.csv", "--force", "--stop-after", "logic", "--jobs", "2",
        "--tool-timeout", "30", "--allow-pickle", "--arith", "auto", "--table-limit", "12",
    )  # fmt: skip
    assert got.code == 0, got.err
    [(verb, args, options)] = fake_run.calls
    assert (verb, args) == ("compile", (Path("net.safetensors"), Path("run")))
    # What is not given is left to the defaults, or to what a run has recorded.
    assert options == {
        "target": "ice40",
        "clock": 120.0,
        "effort": "high",
        "arith": "auto",
        "table_limit": 12,
        "rows": Path("rows.csv"),
        "stream": False,
        "force": True,
        "stop_after": "logic",
        "jobs": 2,
        "tool_timeout": 30.0,
        "allow_pickle": True,
    }


def test_compile_options_and_defaults_are_those_of_the_backends():
    from nnlogic.cli.verbs.compile import command
    from nnlogic.job.backend import all_options, backends

    given = {p.name: p.default for p in command.params if p.name is not None}
    own = {"checkpoint", "out", "force", "allow_pickle", "json", "verbose", "traceback"}
    assert set(given) - own == {"backend", *all_options()}
    for backend in backends().values():
        for field in backend.options.__dataclass_fields__.values():
            if field.name != "backend" and field.default is not None:
                assert given[field.name] == field.default


def test_verify_and_synth_pass_their_options_on(nnlogic, fake_run):
    assert nnlogic("verify", "r").code == 0
    held = ("--tool-timeout", "9", "--tool-output", "2")
    assert nnlogic("verify", "r", "--simulator", "icarus", "--require-all", *held).code == 0
    assert nnlogic("synth", "r").code == 0
    options = ("--target", "xc7", "--no-pnr", "--clock", "50")
    assert nnlogic("synth", "r", *options, *held).code == 0
    path = (Path("r"),)
    free = {"tool_timeout": None, "tool_output": None}
    bound = {"tool_timeout": 9.0, "tool_output": 2.0}
    cells = {"target": None, "pnr": True, "liberty": None, "primitives": None, "dual_luts": False}
    assert fake_run.calls == [
        ("verify", path, free | {"simulators": ("verilator", "icarus"), "require_all": False}),
        ("verify", path, bound | {"simulators": ("icarus",), "require_all": True}),
        ("synth", path, free | {"clock": None} | cells),
        (
            "synth",
            path,
            bound | {**cells, "target": "xc7", "pnr": False, "clock": 50.0},
        ),
    ]


def test_verify_and_synth_options_are_those_of_the_run():
    from nnlogic.run import synth, verify

    held = {"tool_timeout", "tool_output", "progress"}
    given = {"simulators", "require_all"} | held
    assert given <= set(inspect.signature(verify).parameters)
    given = {"target", "pnr", "clock"} | held
    assert given <= set(inspect.signature(synth).parameters)


@pytest.mark.parametrize("verb", [COMPILE, ("verify", "run"), ("synth", "run")])
def test_json_result_is_the_only_thing_on_stdout(nnlogic, fake_run, verb):
    got = nnlogic(*verb, "--json")
    data = json.loads(got.out)
    assert (data["path"], data["status"]) == ("run", "compiled")
    assert Report.loads(json.dumps(data["report"])) == fake_run.report


@pytest.mark.parametrize("verb", [COMPILE, ("verify", "run"), ("synth", "run")])
def test_a_failed_check_exits_with_1_and_is_shown(nnlogic, fake_run, verb):
    fake_run.report = fake_run.report.with_check(3, Check("cones", "fail", "proved", "bit 2"))
    got = nnlogic(*verb)
    assert got.code == 1
    assert "bit 2" in got.out


def test_first_words_come_before_the_work(nnlogic, fake_run):
    fake_run.error = KeyboardInterrupt()
    assert nnlogic(*COMPILE).err.startswith("nnlogic: compiling net.safetensors to run\n")


def test_report_of_a_run(nnlogic, tmp_path):
    report = Report("toy", "0.1.0")
    report.save(tmp_path / "report.json")
    shown = nnlogic("report", tmp_path)
    assert shown.code == 0
    assert "Verification ladder" in shown.out
    data = json.loads(nnlogic("report", tmp_path, "--json").out)
    assert "nothing was checked" in data.pop("warnings")[0]
    assert data.items() <= report.to_json().items()
    page = tmp_path / "new" / "out.html"
    got = nnlogic("report", tmp_path, "--html", page)
    assert (got.code, got.out) == (0, "")
    assert page.read_text().startswith("<!DOCTYPE html>")


def test_report_with_a_failed_check_exits_with_1(nnlogic, tmp_path):
    Report("toy", "0.1.0").with_check(1, Check("x", "fail")).save(tmp_path / "report.json")
    assert nnlogic("report", tmp_path).code == 1


def test_a_damaged_report_is_an_error(nnlogic, tmp_path):
    (tmp_path / "report.json").write_text('{"schema": "nnlogic.report/1"')
    got = nnlogic("report", tmp_path)
    assert got.code == 3
    assert "cannot read the report" in got.err


def test_html_into_a_file_that_cannot_be_written(nnlogic, tmp_path):
    Report("toy", "0.1.0").save(tmp_path / "report.json")
    (tmp_path / "file").write_text("")
    got = nnlogic("report", tmp_path, "--html", tmp_path / "file" / "out.html")
    assert got.code == 2
    assert str(tmp_path / "file") in got.err
    got = nnlogic("report", tmp_path, "--html", tmp_path)
    assert got.code == 2


def test_results_survive_a_stream_without_unicode(tmp_path):
    Report("gr\u00f6\u00dfe", "0.1.0").save(tmp_path / "report.json")
    args = ["report", str(tmp_path)]
    code = f"import sys; from nnlogic.cli.main import main; sys.exit(main({args!r}))"
    done = in_new_process(code, PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert "gr\\xf6\\xdfe" in done.stdout


@pytest.mark.parametrize("stage", ["quant", "tables"])
def test_inspect_a_stage(nnlogic, make_net, tmp_path, stage):
    from nnlogic.tables.build import tabulate

    net = make_net()
    file = tmp_path / "stage.safetensors"
    (net if stage == "quant" else tabulate(net)).save(file)
    got = nnlogic("inspect", file)
    assert got.code == 0, got.err
    assert "score_c0" in got.out
    assert "bound" in got.out
    data = json.loads(nnlogic("inspect", file, "--json").out)
    assert data["kind"] == {"quant": "QuantNet", "tables": "TableNet"}[stage]
    assert [layer["name"] for layer in data["layers"]] == ["fc1", "fc2", "fc3", "argmax"]
    assert data["bound_luts"] > 0


def test_inspect_a_run_directory(nnlogic, tmp_path):
    Report("toy", "0.1.0").save(tmp_path / "report.json")
    got = nnlogic("inspect", tmp_path)
    assert got.code == 0
    assert got.out.startswith("toy")


def test_inspect_the_bundled_checkpoint(nnlogic):
    file = Path(__file__).parents[2] / "examples" / "jets" / "jets.safetensors"
    got = nnlogic("inspect", file)
    assert got.code == 0, got.err
    assert "jets" in got.out
    assert "accuracy" in got.out


def test_compile_passes_its_dsp_options_on(nnlogic, fake_run):
    line = ["--backend", "dsp", "--dsps", 8, "--max-luts", 900, "--max-dsps", 9]
    line += ["--max-latency", 12.5]
    assert nnlogic("compile", "c.pt", "-o", "r", *line).code == 0
    options = fake_run.calls[0][2]
    given = {"backend": "dsp", "dsps": 8, "max_luts": 900, "max_dsps": 9, "max_latency": 12.5}
    assert {name: options[name] for name in given} == given


@pytest.mark.parametrize("option", ["--dsps", "--max-dsps", "--max-luts", "--max-latency"])
def test_budgets_below_one_are_refused(nnlogic, fake_run, option):
    done = nnlogic("compile", "c.pt", "-o", "r", "--backend", "dsp", option, "0")
    assert done.code == 2
    assert option in done.err
    assert not fake_run.calls


OUTSIDE = """
import click

PLACE = 25


@click.command("weigh", short_help="Weigh it.")
def command():
    click.echo("heavy")
"""


def outside(tmp_path, text):
    """Make a package with a verb, as pip would leave it; return a command that knows it."""
    (tmp_path / "weighing.py").write_text(text)
    info = tmp_path / "weighing-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: weighing\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[nnlogic.verbs]\nweigh = weighing\n")
    return lambda *args: in_new_process(
        f"import sys; from nnlogic.cli.main import main; sys.exit(main({args!r}))",
        PYTHONPATH=str(tmp_path),
    )


def test_a_verb_of_another_package_stands_at_its_place(tmp_path):
    run = outside(tmp_path, OUTSIDE)
    assert run("weigh").stdout == "heavy\n"
    listed = run("--help").stdout.partition("Commands:")[2].split("\n")
    assert [line.split()[0] for line in listed if line][1:4] == ["compile", "weigh", "verify"]


@pytest.mark.parametrize("text", ["import no_such_module", "command = 1"])
def test_a_verb_that_cannot_be_used_says_whose_it_is(tmp_path, text):
    done = outside(tmp_path, text)("weigh")
    assert done.returncode == 2
    assert "entry point weigh of nnlogic.verbs" in done.stderr


def test_verbs_of_ours_have_places_of_their_own():
    modules = [import_module(f"{FOLDER}.{name}") for name in verbs()]
    assert len({module.PLACE for module in modules}) == len(modules)
    assert [module.command.name for module in modules] == verbs()
