"""The cocotb regression, on good and on broken circuits."""

from __future__ import annotations

import re
import sys

import pytest

from nnlogic.core.errors import ToolFailed, ToolTimeout, UsageError
from nnlogic.sim import cocotb_run
from nnlogic.sim.cocotb_results import read_results
from nnlogic.sim.cocotb_run import CORE_TESTS, STREAM_TESTS, run_regression


def regress(compiled, folder, simulator="icarus", files=None, rows=60, **options):
    return run_regression(
        compiled.design,
        files or compiled.files,
        folder,
        simulator=simulator,
        codes=options.pop("codes", compiled.codes)[:rows],
        expected=options.pop("expected", compiled.expected)[:rows],
        **options,
    )


@pytest.mark.parametrize("simulator", ["icarus", "verilator"])
def test_good_design_passes(compiled, tmp_path, simulator):
    result = regress(compiled, tmp_path, simulator, rows=300)
    assert {t.name for t in result.tests} == {*CORE_TESTS, *STREAM_TESTS}
    assert (result.passed, result.failed) == (8, 0), result.tests
    assert result.measured_latency == compiled.design.latency
    assert result.measured_interval == 1
    assert result.rows == 300
    assert result.simulator.startswith(simulator)
    assert "Warning" not in (tmp_path / "test.log").read_text()


def mutated(compiled, folder, old, new, which):
    """Return the files with one text change; `old` is a pattern that must occur."""
    out = []
    for path in compiled.files:
        text = path.read_text()
        if path.stem.endswith("_stream") == (which == "stream"):
            assert re.search(old, text), text[:3000]
            text = re.sub(old, new, text, count=1)
        out.append(folder / path.name)
        out[-1].write_text(text)
    return out


def failed(result):
    return {t.name for t in result.tests if not t.passed}


CORE_FAULTS = {
    "inverted output": (r"assign class_out = ([^;]+);", r"assign class_out = ~\1;"),
    "unknown output": (r"assign class_out = ([^;]+);", r"assign class_out = 2'bx1;"),
    "valid stuck": (r"assign out_valid = ([^;]+);", r"assign out_valid = 1'b1;"),
    "valid early": (r"assign out_valid = ([^;]+);", r"assign out_valid = valid[0];"),
    "reset ignored": (r"if \(rst\)", "if (1'b0)"),
}


@pytest.mark.parametrize("name", CORE_FAULTS)
def test_core_faults_are_caught(compiled, tmp_path, name):
    files = mutated(compiled, tmp_path, *CORE_FAULTS[name], "core")
    result = regress(compiled, tmp_path / "sim", files=files)
    assert result.failed > 0
    bad = failed(result)
    if name == "reset ignored":
        assert "core_reset_in_mid_stream" in bad
    else:
        assert "core_rows" in bad
    message = next(t.message for t in result.tests if not t.passed)
    assert message


def test_wrong_expected_data_is_caught(compiled, tmp_path):
    expected = compiled.expected.copy()
    expected[40, 3] ^= 1
    result = regress(compiled, tmp_path, expected=expected)
    assert "core_rows" in failed(result)
    assert "row 40" in next(t.message for t in result.tests if t.name == "core_rows")


STREAM_FAULTS = {
    "ready without room": (r"assign s_axis_tready = ([^;]+);", "assign s_axis_tready = 1'b1;"),
    "valid without data": (r"assign m_axis_tvalid = ([^;]+);", "assign m_axis_tvalid = 1'b1;"),
    "never ready": (r"assign s_axis_tready = ([^;]+);", "assign s_axis_tready = 1'b0;"),
}


@pytest.mark.parametrize("name", STREAM_FAULTS)
def test_stream_faults_are_caught(compiled, tmp_path, name):
    files = mutated(compiled, tmp_path, *STREAM_FAULTS[name], "stream")
    result = regress(compiled, tmp_path / "sim", files=files)
    bad = failed(result)
    assert bad
    assert all(test.startswith("stream_") for test in bad)


def test_a_simulation_that_cannot_be_built_is_a_tool_failure(compiled, tmp_path):
    broken = tmp_path / "broken.v"
    broken.write_text("module broken(; endmodule")
    with pytest.raises(ToolFailed, match="syntax error"):
        regress(compiled, tmp_path / "sim", files=[*compiled.files, broken])


@pytest.fixture
def unguarded(monkeypatch):
    """Let Verilog through that the guard stops: what it does to a simulation is seen here."""
    monkeypatch.setattr(cocotb_run, "checked_copies", lambda files, *_: list(files))


@pytest.mark.usefixtures("unguarded")
def test_a_simulation_that_ends_early_does_not_pass(compiled, tmp_path):
    stop = tmp_path / "stop.v"
    text = compiled.files[0].read_text()
    stop.write_text(text.replace("endmodule", "initial #200 $finish;\nendmodule", 1))
    result = regress(compiled, tmp_path / "sim", files=[stop, *compiled.files[1:]])
    assert result.failed > 0
    assert "core_rows" in failed(result)


@pytest.mark.usefixtures("unguarded")
def test_a_simulation_that_hangs_is_killed(compiled, tmp_path):
    hang = tmp_path / "hang.v"
    text = compiled.files[0].read_text()
    hang.write_text(text.replace("endmodule", "initial #7 forever begin end\nendmodule", 1))
    with pytest.raises(ToolTimeout):
        regress(compiled, tmp_path / "sim", files=[hang, *compiled.files[1:]], timeout=6)


def test_missing_tests_are_a_tool_failure(compiled, tmp_path, monkeypatch):
    monkeypatch.setattr(cocotb_run, "CORE_TESTS", (*CORE_TESTS, "core_that_is_not_there"))
    with pytest.raises(ToolFailed, match="core_that_is_not_there"):
        regress(compiled, tmp_path)


def test_bad_arguments(compiled, tmp_path):
    with pytest.raises(UsageError, match="icarus"):
        regress(compiled, tmp_path, simulator="questa")
    with pytest.raises(UsageError, match="pairs"):
        regress(compiled, tmp_path, expected=compiled.expected[:3])


def test_results_files(tmp_path):
    path = tmp_path / "results.xml"
    path.write_text(
        '<testsuites><testsuite><testcase name="a" time="0.5"/><testcase name="b" time="1">'
        '<failure message="row 3"/></testcase><testcase name="c"><skipped/></testcase>'
        "</testsuite></testsuites>"
    )
    results = read_results(path)
    assert [(t.name, t.passed) for t in results] == [("a", True), ("b", False), ("c", False)]
    assert results[1].message == "row 3"
    path.write_text("<testsuites><testsuite>")
    with pytest.raises(ToolFailed):
        read_results(path)


def test_cocotb_stays_out_of_this_process():
    assert "cocotb_tools.runner" not in sys.modules
