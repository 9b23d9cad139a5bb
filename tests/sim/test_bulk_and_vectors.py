"""The compiled bulk model, and the plain Verilog bench for the user's own simulator."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from nnlogic.checks.faults import planted_faults
from nnlogic.core import bits
from nnlogic.core.errors import InputError, ToolFailed
from nnlogic.job.simulate import protocol_rows
from nnlogic.sim import verilate
from nnlogic.sim.bulk import build_model, run_bulk
from nnlogic.sim.harness import row_words
from nnlogic.sim.vectors import write_bench
from nnlogic.tables.build import tabulate
from nnlogic.tools.find import find
from nnlogic.tools.programs import is_ours, sign_program
from nnlogic.tools.run import run_tool


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    return tmp_path_factory.mktemp("models")


def test_bulk_equals_the_network(compiled, models):
    codes = bits.random_codes(compiled.net.inputs, 20_000, seed=9)
    out = run_bulk(compiled.design, compiled.files, models, codes=codes)
    assert out.dtype == np.int64
    assert np.array_equal(out, compiled.net.evaluate(codes))
    program = build_model(compiled.design, compiled.files, models)
    assert "objects_process.py" in (program.parent / "build.log").read_text()
    stamp = program.stat().st_mtime_ns
    assert build_model(compiled.design, compiled.files, models).stat().st_mtime_ns == stamp
    assert len(run_bulk(compiled.design, compiled.files, models, codes=codes[:1])) == 1


def test_a_model_that_was_not_compiled_here_is_not_run(compiled, models, tmp_path):
    """As in the run of somebody else, whose folder has the right name."""
    program = build_model(compiled.design, compiled.files, models)
    digest = program.parent.name
    assert not is_ours(program, digest)
    good, signature = program.read_bytes(), Path(f"{program}.signature")
    signed = signature.read_bytes()
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    assert np.array_equal(
        run_bulk(compiled.design, compiled.files, models, codes=compiled.codes), compiled.expected
    )
    assert not (tmp_path / "ran").exists()
    assert program.read_bytes()[:4] == good[:4] == b"\x7fELF"
    sign_program(program, digest)
    assert is_ours(program, digest)
    assert not is_ours(program, digest + "0")
    assert signature.read_bytes() != signed
    signature.unlink()
    assert not is_ours(program, digest)


class Notes:
    """Progress that keeps what its steps said."""

    def __init__(self):
        self.said = []

    @contextmanager
    def step(self, name, total=0):
        self.said.append(name)
        yield self

    def advance(self, count=1, note=""):
        self.said.append(note)


def test_a_large_model_is_not_optimized_and_shows_its_files(compiled, tmp_path, monkeypatch):
    size = sum(path.stat().st_size for path in compiled.files)
    monkeypatch.setattr(verilate, "LARGE", size - 1)
    notes = Notes()
    out = run_bulk(compiled.design, compiled.files, tmp_path, codes=compiled.codes, progress=notes)
    assert np.array_equal(out, compiled.expected)
    log = next(tmp_path.glob("*/build.log")).read_text()
    core = [line for line in log.splitlines() if "-c" in line.split() and "Vcore" in line]
    assert core
    assert all("-O0" in line.split() for line in core)
    at = notes.said.index
    assert at("compile bulk model") < at("Vcore__ALL") < at("bulk simulation")


def test_a_simulator_that_interprets_runs_fewer_rows_of_large_verilog(tmp_path):
    files = [tmp_path / "a.v", tmp_path / "b.v"]
    for file, size in zip(files, (500_000, 19_500_000), strict=True):
        with file.open("wb") as stream:
            stream.truncate(size)
    assert protocol_rows(files, "verilator") == protocol_rows(files[:1], "icarus") == 1000
    assert protocol_rows(files, "icarus") == 100
    assert protocol_rows(files * 40, "icarus") == 32


def test_bulk_refuses_codes_out_of_range(compiled, models):
    with pytest.raises(InputError, match="out of range"):
        run_bulk(compiled.design, compiled.files, models, codes=np.full((1, 3), 99))


def test_bulk_catches_planted_verilog_fault(compiled, models):
    tables = tabulate(compiled.net)
    found = dict(
        planted_faults(tables, compiled.design, compiled.files, models / "f", codes=compiled.codes)
    )
    assert found["fault in the Verilog, simulation"].equal
    assert "rows differ" in found["fault in the Verilog, simulation"].detail


def test_bulk_catches_a_wrong_latency(compiled, models, tmp_path):
    late = tmp_path / compiled.files[0].name
    text = compiled.files[0].read_text()
    assert "assign out_valid = valid[" in text
    late.write_text(
        text.replace("assign out_valid = valid[", "assign out_valid = valid[0] & valid[", 1)
    )
    with pytest.raises(ToolFailed, match="out_valid is wrong at clock"):
        run_bulk(compiled.design, [late], tmp_path, codes=compiled.codes)


def test_bulk_reports_verilog_that_cannot_be_built(compiled, tmp_path):
    bad = tmp_path / "bad.v"
    bad.write_text("module bad(; endmodule")
    with pytest.raises(ToolFailed, match="syntax error"):
        run_bulk(compiled.design, [bad], tmp_path, codes=compiled.codes)
    assert not list(tmp_path.glob("bulk-*/model"))


def run_icarus(bench, files, folder):
    tools = find("iverilog"), find("vvp")
    program = folder / "bench.vvp"
    run_tool(tools[0], ["-o", program, bench, *files], cwd=folder, timeout=60, outputs=(program,))
    return run_tool(tools[1], [program], cwd=folder, timeout=60).output


def test_bench_passes_on_good_vectors(compiled, tmp_path):
    paths = write_bench(compiled.design, tmp_path, compiled.codes, compiled.expected)
    assert [p.suffix for p in paths] == [".v", ".hex", ".hex"]
    output = run_icarus(paths[0], compiled.files[:1], tmp_path)
    assert "PASS: 300 rows" in output
    assert "FAIL" not in output


@pytest.mark.parametrize("row", [0, 299])
def test_bench_fails_on_one_wrong_bit(compiled, tmp_path, row):
    expected = compiled.expected.copy()
    expected[row, 3] ^= 1
    paths = write_bench(compiled.design, tmp_path, compiled.codes, expected)
    output = run_icarus(paths[0], compiled.files[:1], tmp_path)
    assert "FAIL: 1 errors" in output
    assert f"row {row}:" in output


def test_bench_fails_without_its_vectors(compiled, tmp_path):
    paths = write_bench(compiled.design, tmp_path, compiled.codes, compiled.expected)
    paths[2].unlink()
    assert "FAIL" in run_icarus(paths[0], compiled.files[:1], tmp_path)


def test_row_words_put_port_zero_lowest(compiled):
    codes = np.array([[-1, 2, 1]])
    assert row_words(codes, compiled.net.inputs) == [0b01_10_111]
