"""The main job from imported Verilog."""

import pytest
from helpers_verilog import random_family

import nnlogic.checks.inputs.verilog as imported
from nnlogic.checks.inputs import of_source
from nnlogic.core.errors import Different, InputError, UnsupportedModel
from nnlogic.run import compile as compile_run


def test_compile_proves_the_import_on_rung_one(tmp_path):
    path = random_family(9).write(tmp_path / "tiny")
    run = compile_run(path, tmp_path / "run", target="xcup", jobs=1, stream=False)
    assert run.status == "compiled"
    first = run.report.rung(1)
    assert first.verdict == "pass"
    assert [c.title for c in first.checks] == ["input Verilog = QuantNet"]
    assert first.checks[0].how == "proved"
    assert all(run.report.rung(n).verdict == "pass" for n in (2, 3, 4))
    assert run.report.source.format.startswith("LogicNets-family Verilog, ")
    assert (run.path / "rtl" / "tiny.v").exists()
    again = compile_run(
        run.path, tmp_path / "again", start_from="tables", stop_after="tables", jobs=1
    )
    first = again.report.rung(1)
    assert first.verdict == "not run"
    assert "does not hold the Verilog" in first.checks[0].detail


def test_rows_are_integer_codes(tmp_path):
    path = random_family(9).write(tmp_path / "tiny")
    header = ",".join(f"M0_{i}" for i in range(6))
    (tmp_path / "rows.csv").write_text(f"{header}\n0,1,2,3,0,1\n3,3,3,0,0,0\n")
    options = {"stop_after": "quant", "jobs": 1}
    run = compile_run(path, tmp_path / "run", rows=tmp_path / "rows.csv", **options)
    assert run.status == "stopped"
    (tmp_path / "rows.csv").write_text(f"{header}\n0,1,2,3,0,0.5\n")
    with pytest.raises(InputError, match="must be integers"):
        compile_run(path, tmp_path / "other", rows=tmp_path / "rows.csv", **options)


def test_a_wrong_import_fails_the_run(tmp_path, monkeypatch):
    path = random_family(9).write(tmp_path / "tiny")
    real = imported.check_imported

    def flipped(net, source, *, timeout):
        file = source.parent / "layer2_N0.v"
        text = file.read_text()
        at = text.index("4'b0000: M1r = 2'b") + len("4'b0000: M1r = 2'b")
        file.write_text(text[:at] + str(1 - int(text[at])) + text[at + 1 :])
        return real(net, source, timeout=timeout)

    rung = of_source("input Verilog = QuantNet", flipped, "the Verilog", timed=True)
    monkeypatch.setattr(imported, "RUNG", rung)
    with pytest.raises(Different, match="input Verilog = QuantNet"):
        compile_run(path, tmp_path / "run", target="xcup", jobs=1)
    assert (tmp_path / "run" / "STATUS").read_text().strip() == "failed"


def test_what_cannot_be_imported_leaves_nothing(tmp_path):
    path = random_family(9).write(tmp_path / "tiny")
    (tmp_path / "tiny" / "layer1.v").unlink()
    with pytest.raises(UnsupportedModel):
        compile_run(path, tmp_path / "run", target="xcup", jobs=1)
    assert not (tmp_path / "run").exists()
