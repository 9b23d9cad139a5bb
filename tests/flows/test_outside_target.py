"""A target of a user's own: compiled for, verified and synthesized without an edit of nnlogic."""

import json
import re
import shutil
import tomllib
from pathlib import Path

import pytest

import nnlogic
from nnlogic.backends.mac.model.ir import CASCADE, MacNet
from nnlogic.cli.main import main
from nnlogic.core.errors import UnsafeVerilog, UsageError
from nnlogic.flows import target_file
from nnlogic.flows.target_file import PACKAGED, packaged
from nnlogic.flows.targets import Target
from nnlogic.run import open_run, synth, verify

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "extending" / "target" / "up5k.toml"
TITLE = 'title = "Made up"\nclock_mhz = 90\n'
LISTS = {ROOT / "nnlogic" / name for name in ("core/inert.py", "tools/verilog_guard.py")}
"""Words that tools obey in comments and attributes, vendors' names among them."""
SMALL = {"effort": "fast", "jobs": 1}


def table(value):
    """A value as inline TOML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {table(v)}" for key, v in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(table, value))}]"
    return json.dumps(value)


def toml(name, entry):
    return f"[target.{name}]\n" + "".join(f"{k} = {table(v)}\n" for k, v in entry.items())


def entry_of(name):
    """All that targets.toml says of a target, what its family says included."""
    content = tomllib.loads(PACKAGED.read_text())
    entry = content["target"][name]
    whole = {**content["family"][entry["family"]], **entry, "title": "Made up"}
    return {key: value for key, value in whole.items() if key != "family"}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory, make_net):
    path = tmp_path_factory.mktemp("net") / "toy.safetensors"
    make_net(4, widths=(4, 3), features=4).save(path)
    return path


def mine(folder, text, name="mine.toml"):
    (folder / name).write_text(text)
    return folder / name


def rung(report, number):
    return {check.title: check.verdict for check in report.rung(number).checks}


def code_of(file):
    """Verilog without its head, which says by which command it was made."""
    return [line for line in file.read_text().splitlines() if not line.startswith("//")]


def test_a_copy_of_a_target_under_another_name_walks_the_whole_way(checkpoint, tmp_path):
    file = mine(tmp_path, toml("mine", entry_of("ice40")))
    run = nnlogic.compile(checkpoint, tmp_path / "run", target=file, **SMALL)
    same = nnlogic.compile(checkpoint, tmp_path / "same", target="ice40", **SMALL)
    file.unlink()
    shutil.move(run.path, tmp_path / "moved")
    path = tmp_path / "moved"
    assert json.loads((path / "config.json").read_text())["target"] == "mine"
    assert "--target mine.toml" in run.report.commands[0].line
    core = f"rtl/{run.report.name}.v"
    assert code_of(path / core) == code_of(same.path / core)

    assert verify(path, simulators=("icarus",)).status == "verified"
    done, known = synth(path), synth(same.path)
    assert rung(done.report, 6) == {"Verilog = netlist": "pass"}
    assert done.report.target == "mine"
    assert done.report.timing.fmax_mhz == known.report.timing.fmax_mhz
    totals = [[(r.source, r.luts, r.ffs) for r in x.report.resources] for x in (done, known)]
    assert totals[0] == totals[1]
    assert (path / "pnr" / "bitstream.bin").stat().st_size > 1000
    assert open_run(path).report.warnings == ()
    assert synth(path, pnr=False, primitives=True).report.target == "mine"

    # The models that prove a netlist are part of what was compared.
    kept = path / "targets" / "mine.toml"
    kept.write_text(kept.read_text() + "# edited\n")
    assert rung(open_run(path).report, 6) == {"Verilog = netlist": "stale"}


def test_a_target_added_to_the_table_alone_walks_the_whole_way(checkpoint, tmp_path, monkeypatch):
    """A copy of ice40 under another name, in targets.toml and nowhere else."""
    entry = tomllib.loads(PACKAGED.read_text())["target"]["ice40"]
    table_file = tmp_path / "targets.toml"
    table_file.write_text(f"{PACKAGED.read_text()}\n{toml('made_up', entry)}")
    packaged.cache_clear()
    monkeypatch.setattr(target_file, "PACKAGED", table_file)
    try:
        assert "made_up" in Target.names()
        words = ["--target", "made_up", "--effort", "fast", "--jobs", "1"]
        assert main(["compile", str(checkpoint), "-o", str(tmp_path / "run"), *words]) == 0
        assert main(["synth", str(tmp_path / "run")]) == 0
        done = open_run(tmp_path / "run").report
        assert (done.target, done.config["target"]) == ("made_up", "made_up")
        assert rung(done, 6) == {"Verilog = netlist": "pass"}
        assert done.timing.fmax_source == "pnr"
        assert main(["compile", str(checkpoint), "-o", str(tmp_path / "x"), "--target", "no"]) == 2
    finally:
        packaged.cache_clear()


def test_the_example_serves_a_run_that_was_compiled_for_another_target(checkpoint, tmp_path):
    file = Path(shutil.copy(EXAMPLE, tmp_path))
    run = nnlogic.compile(checkpoint, tmp_path / "run", target="ecp5", **SMALL)
    done = synth(run.path, target=str(file)).report
    assert done.target == "up5k"
    assert rung(done, 6) == {"Verilog = netlist": "pass"}
    assert "iCE40UP5K" in next(row.detail for row in done.resources if row.source == "pnr")
    assert "'--up5k', '--package', 'sg48'" in (run.path / "nnlogic.log").read_text()
    file.unlink()
    assert synth(run.path, pnr=False).report.target == "up5k"
    with pytest.raises(UsageError, match="unknown target 'ghost'"):
        synth(run.path, target="ghost")


def test_cells_and_models_of_ones_own_prove_and_disprove(checkpoint, tmp_path):
    models = """
    module SB_LUT4(output O, input I0, I1, I2, I3);
      parameter [15:0] LUT_INIT = 0;
      assign O = LUT_INIT[{I3, I2, I1, I0}];
    endmodule
    module SB_DFF(output reg Q, input C, D);
      always @(posedge C) Q <= D;
    endmodule
    module SB_DFFSR(output reg Q, input C, R, D);
      always @(posedge C) if (R) Q <= 0; else Q <= D;
    endmodule
    """
    entry = entry_of("ice40") | {"cell_models": ["cells.v"]}
    del entry["pnr"]
    for swapped in (False, True):
        folder = tmp_path / str(swapped)
        folder.mkdir()
        text = models.replace("I3, I2, I1, I0", "I3, I2, I0, I1") if swapped else models
        (folder / "cells.v").write_text(text)
        file = mine(folder, toml("mine", entry))
        run = nnlogic.compile(checkpoint, folder / "run", target=file, **SMALL)
        (folder / "cells.v").unlink()
        if swapped:
            with pytest.raises(nnlogic.NNLogicError, match="Verilog = netlist"):
                synth(run.path)
        else:
            assert rung(synth(run.path).report, 6) == {"Verilog = netlist": "pass"}


@pytest.mark.parametrize("backend", ["dsp", "mac"])
def test_the_dsp_backends_take_the_slices_of_an_outside_target(checkpoint, tmp_path, backend):
    entry = entry_of("xc7") | {"dsp": {"kind": "dsp48e1", "part": "ONE", "dsps": 1}}
    file = mine(tmp_path, toml("mine", entry))
    options = {"target": file, "backend": backend, **SMALL}
    if backend == "dsp":
        run = nnlogic.compile(checkpoint, tmp_path / "run", **options)
        assert run.report.section("dsp").data["slices"] == 1
        with pytest.raises(nnlogic.NNLogicError, match="ONE"):
            nnlogic.compile(checkpoint, tmp_path / "two", dsps=2, **options)
    else:
        with pytest.raises(nnlogic.NNLogicError, match="more than 1"):
            nnlogic.compile(checkpoint, tmp_path / "run", **options)


def test_models_that_do_more_than_describe_a_circuit_are_refused(tmp_path):
    (tmp_path / "cells.v").write_text('module A; initial $system("touch x"); endmodule\n')
    file = mine(tmp_path, toml("mine", entry_of("ice40") | {"cell_models": ["cells.v"]}))
    with pytest.raises(UnsafeVerilog):
        Target.load(file)


@pytest.mark.parametrize(("column", "longest"), [(None, 2), (1, 1)])
def test_cascades_are_no_longer_than_a_column_of_the_part(checkpoint, tmp_path, column, longest):
    dsp = {"kind": "dsp48e1"} | ({"column": column} if column else {})
    file = mine(tmp_path, toml("mine", entry_of("xc7") | {"dsp": dsp}))
    options = {"target": file, "backend": "mac", "stop_after": "quant", **SMALL}
    run = nnlogic.compile(checkpoint, tmp_path / "run", **options)
    found = 0
    for chain in MacNet.load(run.ir_path("mac")).chains:
        length = 0
        for piece in chain.slices:
            length = length + 1 if piece.addend == CASCADE else 1
            found = max(found, length)
    assert found == longest


BAD = f"""
extra = 1
[target.mine]
family = "ice40"
{TITLE}
lut_size = "four"
colour = "red"
part = "x]; exec rm [y"
delay = {{ register_ns = -1, level_ns = 1 }}
dsp = {{ kind = "dsp58", brams = true }}
[target.mine.pnr]
tool = "rm"
"""


def test_everything_that_is_wrong_is_said_at_once(tmp_path):
    with pytest.raises(UsageError, match="cannot be used") as error:
        Target.load(mine(tmp_path, BAD))
    assert error.value.exit_code == 2
    assert error.value.where == str(tmp_path / "mine.toml")
    found = {problem.where for problem in error.value.problems}
    assert {
        "extra",
        "target.mine.lut_size",
        "target.mine.colour",
        "target.mine.part",
        "target.mine.delay.register_ns",
        "target.mine.dsp.brams",
        "target.mine.pnr.devices",
    } <= found


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"yosys": ["exec", "-nobram"]}, "yosys"),
        ({"yosys": ["synth_ice40", "-top x\n!rm"]}, r"yosys[1]"),
        ({"yosys": ["synth_ice40; shell"]}, r"yosys[0]"),
        ({"cells": {"luts": ["SB_LUT4"]}}, "cells"),
        ({"cell_models": ["../secret.v"]}, r"cell_models[0]"),
        ({"cell_models": ["+/../../secret.v"]}, r"cell_models[0]"),
        ({"cell_models": ["missing.v"]}, "cell_models"),
        ({"cell_models": []}, "cell_models"),
        ({"lut_size": 5}, "lut_cell.cells"),
        ({"lut_size": True}, "lut_size"),
        ({"lut_size": 9}, "lut_size"),
        ({"clock_mhz": 0}, "clock_mhz"),
        ({"clock_mhz": [1]}, "clock_mhz"),
        ({"title": 'a" b'}, "title"),
        ({"name": "other"}, "name"),
        ({"files": {}}, "files"),
        ({"memory_luts": {"A": 1.5}}, "memory_luts.A"),
        ({"dsp": {"kind": "dsp58"}}, "dsp.kind"),
        ({"dsp": "many"}, "dsp"),
        ({"family": "gowin"}, "family"),
    ],
)
def test_each_fault_is_named_by_its_key(tmp_path, change, where):
    file = mine(tmp_path, toml("mine", entry_of("ice40") | change))
    with pytest.raises(UsageError) as error:
        Target.load(file)
    assert f"target.mine.{where}" in {problem.where for problem in error.value.problems}


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"tool": "rm"}, "tool"),
        ({"packer": "sh"}, "packer"),
        ({"wheel": "evil"}, "wheel"),
        ({"minimum": "new"}, "minimum"),
        ({"layout": "../out"}, "layout"),
        ({"devices": []}, "devices"),
    ],
)
def test_programs_are_those_of_the_field(tmp_path, change, where):
    entry = entry_of("ice40")
    file = mine(tmp_path, toml("mine", entry | {"pnr": entry["pnr"] | change}))
    with pytest.raises(UsageError) as error:
        Target.load(file)
    assert f"target.mine.pnr.{where}" in {problem.where for problem in error.value.problems}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[target.mine", "not TOML"),
        ("", "needs one target, has none"),
        ("[target.a]\n[target.b]\n", "needs one target, has 'a', 'b'"),
        ("target = 3\n", "no table of tables"),
        ('[target."a/b"]\n', "no name"),
    ],
)
def test_a_file_that_holds_no_target_says_so(tmp_path, text, message):
    with pytest.raises(UsageError, match=message):
        Target.load(mine(tmp_path, text))


def test_a_name_that_is_taken_and_a_file_that_is_not_there(tmp_path):
    with pytest.raises(UsageError, match="nnlogic has a target of this name"):
        Target.load(mine(tmp_path, toml("ecp5", entry_of("ice40"))))
    with pytest.raises(UsageError, match="cannot read the target file"):
        Target.of(tmp_path / "none.toml")


def test_no_product_code_names_a_target_or_a_family():
    names = "|".join(sorted({*Target.names(), *packaged().families}))
    # The name of a vendor is part of the names of bus definitions.
    word = re.compile(rf"(?<![a-z0-9])({names})(?![a-z0-9]|\.com:?)", re.IGNORECASE)
    folders = ("nnlogic", "hw", "sim", "flows")
    files = [p for f in folders for p in (ROOT / f).rglob("*") if p.suffix in (".py", ".html")]
    assert len(files) > 300
    assert word.search("nextpnr-ecp5")
    assert not word.search("xc7z020")
    hits = {
        str(path.relative_to(ROOT)): found[0]
        for path in files
        if path not in LISTS and (found := word.search(path.read_text()))
    }
    assert hits == {}
