"""Hostile files through compile, verify, synth and report: what they hold never runs."""

import json
import re
import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from helpers_verilog import random_family
from hostile import CANARY, MARK, payloads, unprintable, without_comments

from nnlogic.checks.inputs.verilog import check_imported
from nnlogic.cli.main import main
from nnlogic.core.errors import Different, IRError, NNLogicError, UnsafeVerilog
from nnlogic.frontend import load
from nnlogic.frontend.native.checkpoint import write_native
from nnlogic.model.architecture import Architecture
from nnlogic.model.assemble import expected_arrays
from nnlogic.model.layer import plain_layer
from nnlogic.quant.ir import QuantNet
from nnlogic.run import compile as compile_run
from nnlogic.run import synth, verify
from nnlogic.tools.verilog_guard import find_unsafe

LEAKED = re.compile(r"\s*(bind|initial \$|`(?!timescale)|!|exec|touch)")
DATA = Path(__file__).parents[1] / "frontend" / "data"


@pytest.fixture(autouse=True)
def canary(tmp_path, monkeypatch):
    """The file that commands in texts would make; tools run anywhere, so its path is absolute."""
    path = tmp_path / CANARY
    monkeypatch.chdir(tmp_path)
    yield path
    assert not list(tmp_path.rglob(f"{CANARY}*")), "a text was executed"


def checkpoint(path, canary):
    """A native checkpoint with a hostile text in every text it holds."""
    texts = payloads(canary)
    arch = Architecture(
        texts[0][:40],
        tuple(texts[:12]),
        (1,) * 12,
        tuple(texts[12:15]),
        (plain_layer("fc", 3, 2, "pact", 1, 4, batch_norm=False),),
    )
    rng = np.random.default_rng(0)
    arrays = {n: rng.normal(size=s).astype(np.float32) for n, s in expected_arrays(arch).items()}
    for name in arrays:
        if name.endswith((".scale", ".var")):
            arrays[name] = np.abs(arrays[name]) + 0.1
        if name.startswith("input."):
            arrays[name] = np.sort(arrays[name])
    info = {
        "dataset": {"name": texts[0], "test_rows": 10},
        "encoder": texts[4],
        "format": texts[1],
        "accuracy": {"float": 0.5, "quantized": 0.5, texts[2]: 1},
        "verilog": {"files": [f'x"; !touch {canary}; "', "../../etc/passwd"], "idle": []},
        texts[3]: [texts[5], {texts[6]: texts[7]}],
    }
    write_native(path, arch, arrays, info=info)
    return path


def harmless(run):
    """Look at every text file of a run."""
    for file in (p for p in run.rglob("*") if p.is_file()):
        try:
            text = file.read_bytes().decode()
        except UnicodeDecodeError:
            continue
        if file.suffix == ".v":
            words = without_comments(text).replace("$", " $").split()
            assert not {"bind", "$system", MARK} & set(words), file
        if file.suffix in (".v", ".ys", ".tcl", ".xdc", ".sh", ".txt", ".log", ".html", ".lpf"):
            leaked = [line for line in text.splitlines() if LEAKED.match(line)]
            assert not leaked, file
            if file.parent.name in ("rtl", "ir", "flows"):
                assert not unprintable(text), file
    for file in (run / "rtl").glob("*.v"):
        assert find_unsafe(file.name, file.read_bytes()) == []
    page = (run / "report.html").read_text()
    assert page.count("<script") == 1
    assert "<img" not in page


def through(source, out, capsys, **options):
    """Compile, verify, synthesize and report."""
    run = compile_run(source, out, effort="fast", jobs=1, optimize="none", **options)
    assert run.status == "compiled"
    assert verify(out, simulators=("icarus",)).status == "verified"
    assert synth(out, pnr=False).report.rung(6).verdict == "pass"
    assert main(["report", str(out)]) == 0
    shown = capsys.readouterr().out
    assert not unprintable(shown)
    harmless(out)
    return run


def test_native_checkpoint(tmp_path, canary, capsys):
    source = checkpoint(tmp_path / "a;touch canary2 $(touch canary3).safetensors", canary)
    run = through(source, tmp_path / "run", capsys)
    line = next(c.line for c in run.report.commands if c.purpose == "compile")
    assert f"compile '{source.name}' -o RUN" in line


def test_xgboost(tmp_path, canary, capsys):
    model = json.loads((DATA / "xgboost_binary.json").read_text())
    texts = payloads(canary)
    learner = model["learner"]
    count = int(learner["learner_model_param"]["num_feature"])
    learner["feature_names"] = [f"{texts[i % len(texts)]}{i}" for i in range(count)]
    learner["attributes"] = {texts[0]: texts[4]}
    source = tmp_path / "model.json"
    source.write_text(json.dumps(model))
    through(source, tmp_path / "run", capsys)


def test_an_archive_that_claims_to_be_imported(tmp_path, canary, make_net):
    """Facts of an import are believed only of Verilog that is read now."""
    net = make_net(2, widths=(3, 2), features=3)
    facts = {
        "top": f"m; !touch {canary}",
        "files": [f'x.v"; !touch {canary}; "'],
        "idle": [],
        "inputs": {"x": 1},
        "outputs": {"y": 1},
        "clock": "",
        "ties": {},
        "registers": 0,
    }
    for change in ({}, {"top": "m"}):
        net.info["verilog"] = {**facts, **change}
        net.save(tmp_path / "net.safetensors")
        run = compile_run(
            tmp_path / "net.safetensors", tmp_path / "run", force=True, stop_after="quant"
        )
        assert run.report.rung(1).verdict == "not run"
        saved = QuantNet.load(run.ir_path("quant"))
        with pytest.raises((IRError, OSError)):
            check_imported(saved, tmp_path / "net.safetensors")


HOSTILE_LINES = (
    '\nmodule planted; initial $system("touch {}"); endmodule\nbind {top} planted planted();\n',
    '\n`include "{}"\n',
    "\n(* verilator_public = 1 *) module planted; endmodule\n",
    '\n// x \\\nmodule planted; endmodule\nimport "DPI-C" function int system(string s);\n',
)


@pytest.mark.parametrize("line", HOSTILE_LINES)
def test_verilog_that_was_edited_is_given_to_no_tool(line, tmp_path, canary, make_net):
    net = make_net(2, widths=(3, 2), features=3)
    net.save(tmp_path / "toy.safetensors")
    run = compile_run(
        tmp_path / "toy.safetensors", tmp_path / "run", effort="fast", jobs=1, optimize="none"
    )
    file = run.path / "rtl" / "toy.v"
    with file.open("a") as out:
        out.write(line.replace("{}", str(canary)).replace("{top}", "toy"))
    for verb in (verify, partial(synth, primitives=False)):
        with pytest.raises(UnsafeVerilog, match=r"toy\.v:\d+"):
            verb(run.path)
        assert (run.path / "STATUS").read_text() == "error\n"
    # From cells of the target the file is not read at all.
    with pytest.raises(Different, match="the run was changed"):
        synth(run.path)


def test_imported_verilog(tmp_path, canary, capsys):
    """Comments stay where they are; anything else is refused before a tool reads it."""
    folder = tmp_path / "tiny"
    path = random_family(9).write(folder)
    clean = path.read_text()
    comments = "".join(f"/* {t.replace('*/', '')} */" for t in payloads(canary)[10:12])
    path.write_text(
        f'// bind a b(); `include "{canary}" [exec touch] $(touch x)\n{comments}{clean}'
    )
    through(path, tmp_path / "run", capsys)
    for line in HOSTILE_LINES:
        path.write_text(clean + line.replace("{}", str(canary)).replace("{top}", "logicnet"))
        with pytest.raises(NNLogicError):
            load(path)
    other = folder / "layer0_N0.v"
    path.write_text(clean)
    other.write_text(other.read_text() + 'module idle; initial $system("x"); endmodule\n')
    with pytest.raises(UnsafeVerilog, match=r"layer0_N0\.v:\d+ *system task"):
        load(path)


def test_file_names(tmp_path, canary):
    folder = tmp_path / "net$(touch canary);touch canary"
    path = random_family(9).write(folder)
    odd = path.rename(folder / "`touch canary`;logicnet\n.v")
    run = compile_run(odd, tmp_path / "run", effort="fast", jobs=1, optimize="none", stream=False)
    assert run.report.rung(1).verdict == "pass"
    harmless(run.path)
    shutil.rmtree(folder)
