"""A hostile text in any field of any format stays data in every file that is written."""

import dataclasses
import logging
import re
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from hostile import MARK, payloads, unprintable, without_comments
from rich.console import Console

from nnlogic.backends.lut.artifacts import write_user_files
from nnlogic.backends.mac.model.lower import compile_mac
from nnlogic.core.errors import CheckpointError, IRError
from nnlogic.design.build import build
from nnlogic.flows.targets import Target
from nnlogic.hw.chain.top import ChainShape, write_chain
from nnlogic.hw.dsp.vectors import TurnShape, write_vector_engine
from nnlogic.hw.dsp.verilog import write_engine
from nnlogic.hw.lut.verilog import write_verilog
from nnlogic.hw.mac.verilog import write_mac
from nnlogic.job.directory import logged_to
from nnlogic.logic.build import minimize
from nnlogic.logic.cone import Cone
from nnlogic.logic.formats import WRITERS, encode, parse
from nnlogic.report.html import render_html
from nnlogic.report.model import Report
from nnlogic.report.rows import (
    AccuracyRow,
    Artifact,
    Check,
    Command,
    Engine,
    FunnelRow,
    LayerRow,
    Network,
    PortRow,
    ResourceRow,
    Source,
    StepRow,
    ToolRow,
)
from nnlogic.report.terminal import render
from nnlogic.tables.build import tabulate
from nnlogic.tools.verilog_guard import find_unsafe
from tests.backends.dsp.helpers import random_program
from tests.backends.mac.helpers import linear_net

HOSTILE = payloads(Path("/tmp/canary"))


def renamed(ports, more=0):
    """Ports with a hostile name each, all different."""
    return tuple(
        dataclasses.replace(p, name=f"{HOSTILE[(i + more) % len(HOSTILE)]}{i}")
        for i, p in enumerate(ports)
    )


def harmless(path):
    """Check one written file: one circuit in Verilog, and no character that acts elsewhere."""
    text = path.read_text()
    assert not unprintable(text), path.name
    if path.suffix == ".v":
        # A name made of it may stand there, as one word; the text itself must not.
        words = set(re.findall(r"[$`]?\w+", without_comments(text)))
        assert not words & {MARK, "bind", "$system", "`include", "`define"}
    else:
        assert not re.search(r"^\s*(exec|!|touch|initial|bind)", text, re.MULTILINE)
        assert not re.search(r"(\$\(|\[exec|;) *touch", text)


@pytest.fixture(scope="module")
def hostile_logic(make_net):
    net = make_net(3, widths=(4, 3), features=19)
    rename = {layer.name: f"{HOSTILE[i]}L{i}" for i, layer in enumerate(net.layers)}
    layers = tuple(
        dataclasses.replace(
            layer,
            name=rename[layer.name],
            sources=tuple(rename.get(s, s) for s in layer.sources),
        )
        for layer in net.layers
    )
    wires = net.output_wires
    ports = renamed([p for p, _, _ in wires], 5)
    out = tuple((p, rename[la], w) for p, (_, la, w) in zip(ports, wires, strict=True))
    net = dataclasses.replace(
        net, name=HOSTILE[0], inputs=renamed(net.inputs), layers=layers, output_wires=out
    )
    net.verify()
    tables = tabulate(net)
    return net, tables, minimize(tables, effort="fast", jobs=1)


def test_printed_forms_have_a_line_for_each_thing(hostile_logic):
    for stage in (*hostile_logic, build(hostile_logic[2])):
        text = stage.text()
        assert not unprintable(text)
        assert not re.search(rf"^ *(module|bind|initial|!|\.gate).*{MARK}?", text, re.MULTILINE)


@pytest.mark.parametrize("target", [None, "xcup"])
def test_core_and_stream(hostile_logic, target, tmp_path):
    design = build(hostile_logic[2])
    cell = Target.named(target).lut_cell if target else None
    for file in write_verilog(design, tmp_path, primitives=cell):
        harmless(file)
        assert find_unsafe(file.name, file.read_bytes()) == []


@pytest.mark.parametrize("target", ["ecp5", "xcup", "ice40"])
def test_benches_and_scripts(hostile_logic, target, tmp_path):
    design = build(hostile_logic[2])
    files = [tmp_path / "rtl" / f"{design.name}.v"]
    for folder in ("rtl", "sim", "flows"):
        (tmp_path / folder).mkdir()
    codes = np.zeros((4, len(design.inputs)), np.int64)
    write_user_files(design, files, tmp_path, Target.named(target), None, codes)
    written = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert {p.suffix for p in written} >= {".v", ".sh", ".ys", ".tcl", ".xdc", ".hex"}
    for file in written:
        harmless(file)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_design_loaded_from_a_file_has_a_plain_name(hostile_logic, text, tmp_path):
    design = dataclasses.replace(build(hostile_logic[2]), name=text)
    design.save(tmp_path / "design.safetensors")
    with pytest.raises(CheckpointError, match="not a name for a generated file"):
        type(design).load(tmp_path / "design.safetensors")


def test_engine_turns_and_chain(tmp_path):
    program = random_program()
    program = dataclasses.replace(
        program,
        name=HOSTILE[0],
        inputs=renamed(program.inputs),
        outputs=renamed(program.outputs, 7),
    )
    turn = TurnShape.of(program)
    widths = (turn.width_in, turn.width_out)
    chain = ChainShape("top", (turn.stream,), widths, program.inputs, program.outputs)
    files = [*write_engine(program, tmp_path), write_vector_engine(turn, tmp_path)]
    files.append(write_chain(chain, tmp_path, HOSTILE))
    for file in files:
        harmless(file)
        assert find_unsafe(file.name, file.read_bytes()) == []
    assert not unprintable(program.text())


def test_multiply_accumulate(tmp_path):
    net = linear_net(inputs=8)
    net = dataclasses.replace(net, name=HOSTILE[0], inputs=renamed(net.inputs))
    mac = compile_mac(net).mac
    for file in write_mac(mac, tmp_path):
        harmless(file)
        assert find_unsafe(file.name, file.read_bytes()) == []
    assert not unprintable(mac.text())


def hostile_report():
    """A report with a hostile text wherever one fits."""
    several = iter(HOSTILE * 3)
    rows = (
        LayerRow(next(several), "network", 1, 2),
        FunnelRow(next(several), "network", 1, 1, 1, 1, 1),
        FunnelRow("total", "network", 1, 1, 1, 1, 1),
        ResourceRow(next(several), "synth", 1, 1, 1, next(several)),
        AccuracyRow(next(several), 50.0, 10, next(several)),
        Artifact(next(several), next(several)),
        Command(next(several), next(several)),
        ToolRow(next(several), next(several), next(several)),
        StepRow(next(several), 1.0, {next(several): 1}, {next(several): 2}),
        Engine(next(several), 1, 1),
    )
    report = Report(
        name=next(several),
        version=next(several),
        status="compiled",
        target=next(several),
        source=Source(next(several), next(several), next(several)),
        config={next(several): next(several)},
        network=Network((PortRow(next(several), "u1"),), (), rows[:1], next(several)),
    ).put(*rows[1:])
    return report.with_check(1, Check(next(several), "pass", next(several), next(several)))


def test_report_views():
    report = hostile_report()
    page = render_html(report)
    assert not unprintable(page)
    page.encode()
    # Only the page's own script; texts are escaped wherever they stand.
    assert len(re.findall("<script", page)) == 1
    assert len(re.findall("</script", page)) == 1
    assert "<img" not in page
    console = Console(file=StringIO(), width=80, force_terminal=False)
    render(report, console)
    shown = console.file.getvalue()
    assert not unprintable(shown)


def test_log_has_a_record_for_each_record(tmp_path, monkeypatch):
    # What a test logs is sent between processes as UTF-8, which has no lone surrogates.
    monkeypatch.setattr(logging.getLogger("nnlogic"), "propagate", False)
    with logged_to(tmp_path / "nnlogic.log"):
        for text in HOSTILE:
            logging.getLogger("nnlogic.test").info("layer %s", text)
    text = (tmp_path / "nnlogic.log").read_text()
    assert not unprintable(text)
    records = [line for line in text.splitlines() if not line.startswith("    ")]
    assert len(records) == len(HOSTILE)
    assert all(" INFO nnlogic.test layer " in line for line in records)


CONE = Cone(2, ((0, 1),), (0b0110,), (2, 2))


@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.parametrize("text", HOSTILE)
def test_names_of_logic_files(text, suffix):
    """As AIGER symbols, which hold any text of one line, and as words of BLIF and PLA."""
    line = "".join(c for c in text.replace("\ud800", "") if c not in "\n\r") or "_"
    aiger = f"aag 3 2 0 1 1\n2\n4\n6\n6 4 2\ni0 {line}\ni1 /*\no0 $print\nc\n{text}\n"
    word = re.sub(r"[#\s\\]", "", line) or "_"
    blif = f".model {word}\n.inputs {word} `x\n.outputs y//z\n.names {word} `x y//z\n11 1\n.end\n"
    pla = f".i 2\n.o 1\n.ilb {word} */\n.ob $x\n11 1\n.e\n"
    for data, kind in ((aiger, ".aag"), (blif, ".blif"), (pla, ".pla")):
        spec = parse(data.encode("utf-8", "replace"), f"{line}{kind}", kind)
        cone = Cone(2, ((0, 1),), (0b1000,), (2,))
        out = encode(suffix, spec.name, spec.inputs, spec.outputs, cone)
        names = (spec.name, *spec.inputs, *spec.outputs)
        assert all(re.fullmatch(r"[!-~]+", name) for name in names)
        assert not {"`", "*", "\\", '"', ";"} & set("".join(names))
        if suffix == ".v":
            assert find_unsafe("x.v", out) == []
            code = re.sub(r"\\\S+", "", out.decode())
            assert len(re.findall(r"\bmodule\b", code)) == 1
            assert not re.search(r"\b(bind|initial)\b", code)
        elif suffix == ".blif":
            words = out.decode().split()
            assert words.count(".model") == words.count(".end") == 1


def test_names_that_were_not_cleaned_are_not_written():
    for suffix in WRITERS:
        with pytest.raises(IRError, match="not a name"):
            encode(suffix, "net", ("a", "b;\n"), ("y", "z"), CONE)
