"""A verdict belongs to bytes: every edit of a run after compile is found, no forgery is repeated.

These tests use the command line, as whoever edits a run and whoever reads its report would.
"""

import json
import shutil

import numpy as np
import pytest

from nnlogic.cli.main import main
from nnlogic.core.errors import Different
from nnlogic.run import compile as compile_run
from nnlogic.run import synth, verify
from nnlogic.tools.key import key_path


@pytest.fixture(scope="module")
def verified(tmp_path_factory, make_net):
    folder = tmp_path_factory.mktemp("evidence")
    net = make_net(4)
    net.save(folder / "toy.safetensors")
    rows = np.random.default_rng(1).normal(size=(300, 5)).astype(np.float32)
    np.savez(folder / "rows.npz", X=rows, y=net.evaluate(net.encode(rows))[:, -1])
    run = compile_run(
        folder / "toy.safetensors", folder / "run", rows=folder / "rows.npz", jobs=1,
        target="xcup", optimize="layer",
    )  # fmt: skip
    verify(run.path, simulators=("icarus",))
    return synth(run.path).path


@pytest.fixture
def copy(verified, tmp_path):
    return shutil.copytree(verified, tmp_path / "run")


def report(path, capsys):
    """Return exit code and JSON of ``nnlogic report``."""
    code = main(["report", str(path), "--json"])
    return code, json.loads(capsys.readouterr().out)


def verdicts(data):
    return {c["title"]: c["verdict"] for rung in data["ladder"] for c in rung["checks"]}


def change(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def rare_fault(path):
    """Change one LUT of the Verilog so that only some inputs show it."""
    text = path.read_text()
    lines = text.splitlines(keepends=True)
    at = max(
        i
        for i, line in enumerate(lines)
        if line.lstrip().startswith(("assign ", "wire ")) and "&" in line and "unused" not in line
    )
    lines[at] = lines[at].replace("&", "|", 1)
    path.write_text("".join(lines))


def test_an_untouched_run_says_what_it_said(copy, capsys):
    code, data = report(copy, capsys)
    assert (code, data["status"], data["warnings"]) == (0, "verified", [])
    assert "stale" not in verdicts(data).values()
    assert data["ladder"][6]["verdict"] == "pass"


def test_every_edit_is_found(verified, tmp_path, capsys):
    """Of any file that the run holds, one at a time."""
    made_by_simulators = set(verified.glob("sim/*/**/*"))
    names = [
        p.relative_to(verified)
        for p in sorted(verified.rglob("*"))
        if p.is_file() and p not in made_by_simulators and p.name != "nnlogic.log"
    ]
    assert len(names) > 25
    missed = []
    copy = shutil.copytree(verified, tmp_path / "run")
    for name in names:
        kept = (copy / name).read_bytes()
        change(copy / name)
        try:
            code = main(["report", str(copy), "--json"])
            said = capsys.readouterr()
            data = json.loads(said.out) if said.out else {"warnings": [said.err]}
        finally:
            (copy / name).write_bytes(kept)
        found = code != 0 or any(str(name) in w for w in data["warnings"])
        if not found and str(name) != "manifest.json":
            missed.append(str(name))
        if name.parts[0] in ("ir", "rtl", "sim") and name.suffix in (".safetensors", ".v", ".npz"):
            assert name.parts[0] == "sim" or "stale" in verdicts(data).values(), name
    assert not missed
    assert report(copy, capsys)[0] == 0


@pytest.mark.parametrize("name", ["quant", "tables", "simplified", "assembled", "logic", "design"])
def test_verdicts_on_an_edited_stage_are_withdrawn(copy, capsys, name):
    change(copy / "ir" / f"{name}.safetensors")
    code, data = report(copy, capsys)
    assert (code, data["status"]) == (1, "stale")
    found = verdicts(data)
    assert found["TableNet = LogicNet"] == ("pass" if name in ("quant", "design") else "stale")


def test_changed_verilog_is_proved_again_and_fails(copy, capsys):
    rare_fault(copy / "rtl" / "toy.v")
    code, data = report(copy, capsys)
    assert code == 1
    assert verdicts(data)["LogicNet = Verilog, formally"] == "stale"
    assert not [r for r in data["resources"] if r["source"] == "synth"]
    with pytest.raises(Different, match="LogicNet = Verilog, formally"):
        verify(copy, simulators=())
    assert (copy / "STATUS").read_text() == "failed\n"


def test_harmless_edits_are_proved_again_and_pass(copy, capsys):
    path = copy / "rtl" / "toy.v"
    path.write_text(path.read_text() + "// carried through a formatter\n")
    done = verify(copy, simulators=("icarus",))
    assert (done.status, done.report.rung(5).verdict) == ("verified", "not run")
    assert verdicts(done.report.to_json())["LogicNet = Verilog, formally"] == "pass"
    _, data = report(copy, capsys)
    assert "rtl/toy.v" in data["warnings"][0], "the file is not the one nnlogic wrote"
    # The netlist was made of the file before.
    assert verdicts(data)["Verilog = netlist"] == "not run"


def test_cut_rows_are_refused(copy, capsys):
    path = copy / "sim" / "rows.npz"
    with np.load(path) as data:
        few = {k: v if v.ndim == 0 else v[:1] for k, v in data.items()}
    np.savez(path, **few)
    with pytest.raises(Different, match=r"sim/rows\.npz"):
        verify(copy, simulators=())
    for _ in range(2):
        code, data = report(copy, capsys)
        assert (code, data["status"]) == (1, "stale")
        with pytest.raises(Different):
            verify(copy, simulators=())


def test_a_network_put_in_later_is_not_the_one_compiled(copy, make_net, capsys):
    from nnlogic.quant.ir import QuantNet

    path = copy / "ir" / "quant.safetensors"
    net = QuantNet.load(path)
    QuantNet.load(path).save(path.with_name("other.safetensors"))
    make_net(5).save(path)
    with pytest.raises(Different):
        verify(copy, simulators=())
    net.save(path)
    path.with_name("other.safetensors").unlink()
    assert report(copy, capsys)[1]["ladder"][2]["verdict"] != "pass"


@pytest.mark.parametrize(
    "forge",
    [
        lambda d: d.update(status="verified"),
        lambda d: d["ladder"][2].update(verdict="pass"),
        lambda d: d["resources"][-1].update(luts=1),
        lambda d: d["ladder"][5]["checks"][0].update(files={}),
        lambda d: d["accuracy"][0].update(percent=99.9),
    ],
)
def test_a_forged_report_is_not_repeated(copy, capsys, forge):
    data = json.loads((copy / "report.json").read_text())
    data["seconds"] = 0.0
    forge(data)
    (copy / "report.json").write_text(json.dumps(data))
    code, said = report(copy, capsys)
    assert (code, said["status"]) == (1, "stale")
    assert "pass" not in verdicts(said).values()
    assert "report.json was changed" in said["warnings"][0]


def test_a_forged_status_is_not_repeated(copy, capsys):
    (copy / "STATUS").write_text("compiled\n")
    code, said = report(copy, capsys)
    assert (code, said["status"]) == (1, "stale")
    with pytest.raises(Different):
        verify(copy, simulators=())  # what is known of the checkpoint cannot be found again


def test_a_run_without_our_seal_is_only_what_it_claims(copy, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "elsewhere"))
    code, said = report(copy, capsys)
    assert (code, said["status"]) == (0, "unsealed")
    assert set(verdicts(said).values()) == {"not run"}
    assert "claims" in said["warnings"][1]
    done = verify(copy, simulators=("icarus",))
    assert done.status == "verified"
    assert done.report.rung(1).verdict == "not run"
    assert key_path().stat().st_mode & 0o077 == 0
    (copy / "manifest.json").unlink()
    assert report(copy, capsys)[1]["status"] == "unsealed"
