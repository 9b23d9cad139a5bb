"""Whatever users call their folders, tools work there, or it is refused before work starts."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from pathlib import Path

import pytest
from helpers_verilog import random_family

import nnlogic
from nnlogic.cli.main import main
from nnlogic.core.errors import UsageError
from nnlogic.run import open_run, synth, verify
from nnlogic.tools import plain as plain_module
from nnlogic.tools.plain import LONGEST, is_plain, plain, scratch, scratch_place

NASTY = '-a (b) \'c "d" $HOME $(x) %s #e ü\u65e5 {f} [g] & ; <h> * ? ! `i` \\n | ~ =:,'
OPTIONS = {"target": "ice40", "effort": "fast", "jobs": 1}


@pytest.fixture
def nasty(tmp_path, monkeypatch):
    """A folder with a name that every tool but Python has trouble with; so are all others."""
    for number, name in enumerate(("TMPDIR", "XDG_CACHE_HOME", "XDG_STATE_HOME")):
        folder = tmp_path / f"{number}{NASTY}"
        folder.mkdir()
        monkeypatch.setenv(name, str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    home = tmp_path / NASTY
    home.mkdir()
    monkeypatch.chdir(home)
    yield home
    monkeypatch.undo()
    tempfile.tempdir = None


@pytest.fixture
def toy(make_net):
    return make_net(4, widths=(3, 2), features=3)


def commands(run):
    """All programs that ran, with their arguments, and where."""
    log = (run / "nnlogic.log").read_text()
    return re.findall(r"DEBUG nnlogic\.tools run (\[.*?\]) in (.*)", log)


def test_every_verb_and_tool_in_a_folder_of_any_name(nasty, toy, tmp_path):
    source = nasty / f"{NASTY}.safetensors"
    toy.save(source)
    run = nnlogic.compile(source, nasty / NASTY, **OPTIONS)
    assert run.report.source.file == source.name
    path = run.path
    done = verify(path)
    assert done.status == "verified"
    assert {c.title: c.verdict for c in done.report.rung(5).checks} == {
        "LogicNet = Verilog, formally": "pass",
        "bulk vectors, compiled model": "pass",
        "cocotb on verilator": "pass",
        "cocotb on icarus": "pass",
    }
    assert done.report.rung(0).verdict == "pass"
    # What was built stays where it always is, and a second time nothing is built.
    assert (path / "sim" / "cocotb-verilator" / "results.xml").is_file()
    assert (path / "sim" / "cocotb-icarus" / "build.log").is_file()
    (model,) = path.glob("sim/bulk/bulk-*/model")
    assert os.access(model, os.X_OK)
    placed = synth(path).report
    assert placed.rung(6).verdict == "pass"
    assert placed.timing.fmax_source == "pnr"
    ran = commands(path)
    assert len(ran) > 15
    # No path of the user reached a tool (the compiled model is no tool, and is asked for nothing),
    # and what asks where it works was told a plain place.
    assert [c for c, _ in ran if "(b)" in c and "/model'" not in c] == []
    asking = [where for command, where in ran if "verilator" in command or "cocotb" in command]
    assert len(asking) >= 4
    assert all(is_plain(Path(where)) for where in asking)
    assert list(nasty.parent.glob(f"0{NASTY}/nnlogic-*")) == []
    bench = subprocess.run(
        ["sh", f"./{NASTY}/sim/run_bench.sh"], cwd=nasty, capture_output=True, text=True,
        # Icarus itself cannot live with such a folder for its temporary files.
        env={**os.environ, "TMPDIR": str(tmp_path)}, check=False,
    )  # fmt: skip
    assert "PASS" in bench.stdout, bench.stderr
    assert sourced_by_vivado(path / "flows" / "vivado.tcl") == [str(path / "rtl" / "toy.v")]


def sourced_by_vivado(script):
    """The files that a script for Vivado reads, as Tcl sees it."""
    stub = """
    proc read_verilog {files} { foreach f $files { puts [file normalize $f]; close [open $f] } }
    proc unknown {args} { return 1 }
    source [lindex $argv 0]
    """
    done = subprocess.run(
        ["tclsh", "/dev/stdin", script], input=stub, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return [line for line in done.stdout.splitlines() if not line.startswith("Fmax")]


@pytest.mark.parametrize(
    "name",
    ["-run", "new\nline\t\x1b[31m", "b\udcffytes", "L" * 240],
    ids=["dash", "escapes", "bytes", "long"],
)
def test_single_oddities(tmp_path, toy, monkeypatch, capfd, name):
    monkeypatch.chdir(tmp_path)
    toy.save(Path("toy.safetensors"))
    words = ["--target", "ice40", "--effort", "fast", "--jobs", "1"]
    assert main(["compile", "toy.safetensors", "-o", name, *words]) == 0
    assert main(["synth", "--no-pnr", "--", name]) == 0
    assert main(["report", "--html", f"{name}.html"[-200:].lstrip("/"), "--", name]) == 0
    said = "".join(capfd.readouterr())
    assert "\x1b[31m" not in said
    assert open_run(Path(name)).report.rung(6).verdict == "pass"


@pytest.mark.parametrize(
    "name", ["L" * 254, "é" * 124, "/".join(["deep" * 40] * 40)], ids=["long", "bytes", "path"]
)
def test_what_the_system_cannot_hold_is_refused_before_work(tmp_path, toy, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    toy.save(Path("toy.safetensors"))
    with pytest.raises(UsageError, match="cannot write the run directory") as refused:
        nnlogic.compile("toy.safetensors", name, **OPTIONS)
    assert "shorter name" in refused.value.fix
    assert not list(tmp_path.rglob("ir"))


def test_links_and_relative_paths(tmp_path, toy, monkeypatch):
    real = tmp_path / "real (1)"
    real.mkdir()
    (tmp_path / "link").symlink_to(real)
    monkeypatch.chdir(tmp_path / "link")
    toy.save(real / "toy.safetensors")
    Path("in.safetensors").symlink_to("toy.safetensors")
    run = nnlogic.compile("in.safetensors", "../link/./sub/../run", **OPTIONS)
    assert (real / "run" / "STATUS").is_file()
    Path("again").symlink_to("run")
    assert verify("again", simulators=("icarus",)).status == "verified"
    assert synth("../real (1)/again", pnr=False).report.rung(6).verdict == "pass"
    assert run.report.name == "toy"
    # The link is kept, and what it points to is replaced.
    nnlogic.compile("in.safetensors", "again", force=True, **OPTIONS)
    assert open_run(Path("again")).status == "compiled"


def test_minimize_reads_and_writes_files_of_any_name(nasty, capsys):
    source = nasty / f"{NASTY}.truth"
    source.write_text("0110100110010110\n")
    for suffix in (".blif", ".v", ".aig", ".aag"):
        out = nasty / f"{NASTY}{suffix}"
        assert main(["minimize", "-o", str(out), "--jobs", "1", "--", str(source)]) == 0
        assert out.stat().st_size
        if suffix != ".v":
            again = nasty / f"again {suffix}.blif"
            assert main(["minimize", "-o", str(again), "--jobs", "1", "--", str(out)]) == 0
    capsys.readouterr()


def test_verilog_of_any_name_is_imported_and_proved(nasty):
    written = random_family(2).write(nasty / NASTY)
    source = written.rename(written.with_name(f"{NASTY}.v"))
    run = nnlogic.compile(source, nasty / "run (1)", **OPTIONS)
    assert run.report.rung(1).verdict == "pass"
    assert [command for command, _ in commands(run.path) if "(b)" in command] == []


@pytest.mark.parametrize("name", ["plain", "a ?b#c%d%20e'\"&=;x", NASTY])
def test_a_search_keeps_its_study_in_its_folder(tmp_path, name):
    from nnlogic.train.search_study import open_study, study_folder

    folder = tmp_path / name
    folder.mkdir()
    open_study("x", study_folder(folder), resume=False)
    assert [p.name for p in folder.iterdir()] == ["study.db"]
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_a_plain_place_is_found_or_the_user_is_told(tmp_path, monkeypatch):
    assert is_plain(tmp_path)
    for bad in ("a b", "(a)", "a'b", "a$b", "a%b", "a#b", "é", "a\nb", "a:b", "a=b", "a\\b"):
        assert not is_plain(tmp_path / bad)
        (tmp_path / bad).mkdir()
        assert is_plain(Path(scratch_place(str(tmp_path / bad))))
    assert not is_plain(tmp_path / "x" / ("l" * LONGEST))
    (tmp_path / "plain").symlink_to(tmp_path / "(a)")
    assert not is_plain(tmp_path / "plain"), "tools ask for the real path"
    monkeypatch.setattr(plain_module, "ELSEWHERE", (str(tmp_path / "none"),))
    scratch_place.cache_clear()
    with pytest.raises(UsageError, match="no folder for temporary files") as refused:
        scratch_place(str(tmp_path / "a b"))
    assert "TMPDIR" in refused.value.fix
    scratch_place.cache_clear()
    with scratch("x") as folder:
        assert is_plain(folder)
    assert not folder.exists()


@pytest.mark.parametrize("name", ["plain", "not (plain)"])
def test_what_tools_left_is_kept_even_after_an_error(tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    (folder / "old").touch()

    def work():
        with plain(folder) as place:
            assert is_plain(place)
            assert list(place.iterdir()) == []
            (place / "log").write_text("why")
            raise UsageError("no")

    with pytest.raises(UsageError, match="no"):
        work()
    assert [p.name for p in folder.iterdir()] == ["log"]
    assert sorted(p.name for p in tmp_path.iterdir()) == [name]
