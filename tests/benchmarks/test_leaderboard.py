"""The leaderboard has a row for every file of a peer, read or not, and measures none twice."""

import json
import re
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from benchmarks.leaderboard import __main__ as board
from benchmarks.leaderboard.data import rows as data_rows
from benchmarks.leaderboard.fmax import clocks
from benchmarks.leaderboard.measure import without_argmax, without_encoder
from benchmarks.leaderboard.own import own_luts
from benchmarks.leaderboard.page import COLUMNS, Entry, summary
from benchmarks.leaderboard.peers import NO_RANK, PEERS, Peer
from nnlogic.core.formats import ROLES, IntFormat, Port
from nnlogic.frontend import load
from nnlogic.quant.ir import Enumerated, QuantNet
from tests.frontend import bloom


@pytest.fixture
def peers(tmp_path):
    folder = tmp_path / "KANELE" / "benchmarks" / "MNIST" / "models" / "toy"
    folder.mkdir(parents=True)
    entries = {
        f"0_{i}_{o}": {"acive": 1, "values_int": [i, o, -i, 2]} for i in (0, 1) for o in (0, 1)
    }
    (folder / "truth_tables.json").write_text(json.dumps(entries))
    (folder / "config.json").write_text('{"layers": [2, 2], "layers_bitwidth": [2, 3]}')
    (folder / "README.md").write_text("| CLB LUTs   |  1570 |   0 |\n")
    models = tmp_path / "mase"
    models.mkdir()
    (models / "m.pth").write_bytes(b"PK\3\4")
    return tmp_path


def shown(text):
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return [dict(zip(COLUMNS, line, strict=False)) for line in lines if line[0] != "family"]


def run(monkeypatch, capsys, peers, *words):
    results = str(peers / "results")
    monkeypatch.setattr(
        sys, "argv", ["x", "--peers", str(peers), "--results", results, "--effort", "fast", *words]
    )
    board.main()
    return shown(capsys.readouterr().out)


def test_files_that_are_read_and_files_that_are_not(peers, monkeypatch, capsys, tmp_path):
    page = tmp_path / "page.md"
    read, other = run(monkeypatch, capsys, peers, "--write", str(page))
    assert (read["family"], read["peer"], read["of"]) == ("KANELE", "1,570", "published")
    assert read["proved"] == "1 sampled n=4096; 2 exhaustive; 3 proved"
    parts = [int(read[name]) for name in ("encoder", "network", "output", "LUT6")]
    assert sum(parts[:3]) == parts[3] > 0
    # Without the argmax, which the peer's hardware has not.
    same = int(read["ours, same function"])
    assert 0 < same < parts[3]
    assert read["times"] == f"**{same / 1570:.3f}**"
    assert other["family"] == "difflogic"
    assert "not compiled" in str(other)
    text = page.read_text()
    assert shown(text) == [read, other]
    assert "1 files of 1 families are compiled. 1 have figures" in text


def test_what_was_measured_is_kept(peers, monkeypatch, capsys):
    first = run(monkeypatch, capsys, peers)

    def never(peer, *_):
        # What failed is tried again: an importer may have come.
        if peer.family == "KANELE":
            raise AssertionError("measured again")
        return {"error": "again", "seconds": 0}

    with monkeypatch.context() as patch:
        patch.setattr(board, "measured", never)
        again = run(patch, capsys, peers)
        assert (again[0], len(again)) == (first[0], 2)
        assert "not compiled: again" in str(again[1])
        assert run(patch, capsys, peers, "--measured") == again
        table = next((peers / "KANELE").rglob("truth_tables.json"))
        table.write_text(table.read_text().replace("2]", "1]"))
        with pytest.raises(AssertionError, match="measured again"):
            run(patch, capsys, peers)
        page = peers / "page.md"
        left = run(patch, capsys, peers, "--measured", "--write", str(page))
    assert [row["family"] for row in left] == ["difflogic"]
    assert "Not run: KANELE `benchmarks/MNIST/models/toy/truth_tables.json`." in page.read_text()


def test_the_best_of_several_efforts_is_shown(tmp_path):
    results = board.Results(tmp_path)
    for effort, total in (("fast", 9), ("normal, area", 7), ("high, network", 8)):
        results.put(f"a-{effort}", {"k": 1}, {"effort": effort, "whole": {"total": total}})
    assert board._best(results, "a", {"k": 1})["effort"] == "normal, area"
    assert board._best(results, "a", {"k": 2}) is None


def test_nothing_to_measure_is_an_error(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["x", "--peers", str(tmp_path)])
    with pytest.raises(SystemExit):
        board.main()
    assert "no file of a peer" in capsys.readouterr().err


def test_figures_of_peers(tmp_path):
    file = tmp_path / "JSC_OpenML" / "models" / "m.pt"
    file.parent.mkdir(parents=True)
    kanele = next(peer for peer in PEERS if peer.family == "KANELE")
    assert kanele.published(file) == "1232"
    (file.parent / "res.txt").write_text("LUT=334\nFF=139\n")
    assert Peer("a", "b", "c", reports=("res.txt",)).published(file) == "334"
    (file.parent / "m.rpt").write_text("| device | (top) | 57 |\n|   model | wisard | 46 |  46 |\n")
    assert Peer("a", "b", "c", reports=("../models/{stem}.rpt",)).published(file) == "46"
    (file.parent / "res.txt").write_text("nothing")
    assert Peer("a", "b", "c", reports=("res.txt",)).published(file) == ""


def test_carries_of_peers_are_told_where_they_are_known(tmp_path):
    alir = next(peer for peer in PEERS if "ALIR" in peer.family)
    assert alir.carry_cells(tmp_path / "openml-598.json") == 50
    assert alir.carry_cells(tmp_path / "other.json") is None
    whole = {"whole": {**dict.fromkeys((*ROLES, "total", "depth"), 5), "proved": []}}

    def cell(own):
        row = Entry("f", "n", {**whole, "effort": "fast", "seconds": 0}, own).line()
        return dict(zip(COLUMNS, row.strip("| ").split(" | "), strict=False))["CARRY4, peer / ours"]

    assert cell({"luts": 9, "carries": 12}) == "12 / 0"
    assert cell({"published": 9, "source": "published", "carries": None}) == "? / 0"


def test_ranks_of_registers_are_counted_in_the_verilog(tmp_path):
    dwn = next(peer for peer in PEERS if peer.family == "DWN")
    file = tmp_path / "a" / "b" / "m_checkpoint.pt"
    top = file.parent / "m_checkpoint" / "dwn_core.v"
    top.parent.mkdir(parents=True)
    assert dwn.registers(file) is None
    top.write_text("pipe_reg #(.W(3)) a (x);\n// pipes\n  pipe_reg #(.W(3)) b (y);\n")
    assert dwn.registers(file) == 2
    assert replace(dwn, rank=NO_RANK).registers(file) == 0
    assert replace(dwn, rank=None).registers(file) is None


def test_luts_of_verilog(tmp_path):
    """An AND of seven inputs behind an inverter: two LUTs, the inverter is none."""
    (tmp_path / "top.v").write_text(
        "module top(input clk, input [6:0] x, output reg y, output z);\n"
        "  always @(posedge clk) y <= &x;\n  assign z = ~x[0];\nendmodule\n"
    )
    found = own_luts([tmp_path / "top.v"], "top")
    assert (found.luts, found.carries, found.registers) == (2, 0, 1)


def test_parts_that_the_peer_leaves_off(tmp_path):
    g = torch.Generator().manual_seed(0)
    state = {
        "0.thresholds": torch.randn(2, 3, generator=g).sort(1).values,
        "1.weight": torch.randn(6, 16, generator=g),
        "1.connections.indices": torch.randint(6, (2, 6), generator=g),
    }
    torch.save(state, tmp_path / "m.pt")
    net = load(tmp_path / "m.pt", read="classes=3")
    core = without_argmax(without_encoder(net))
    rows = torch.randn(50, 2, generator=g).numpy()
    values = net.trace(net.encode(rows))
    assert core.evaluate(values["compare"]).tolist() == values["score"].tolist()
    with pytest.raises(ValueError, match="no encoder"):
        without_encoder(core)
    with pytest.raises(ValueError, match="no argmax"):
        without_argmax(core)


def test_rows_as_peers_take_them(tmp_path):
    names = np.array(["had", "hid", *"abcdefghi"])
    x = np.arange(44, dtype=np.float32).reshape(22, 2)
    np.savez(tmp_path / "uci_small.npz", iris__X=x, iris__y=np.arange(22) % 3,
             iris__classes=np.array(["a", "b", "c"]), vowel__classes=names)  # fmt: skip
    found = data_rows("uci-third:iris", tmp_path)
    assert (len(found.x), len(found.train)) == (7, 15)
    assert found.y.tolist() == [int(row[0] / 2) % 3 for row in found.x]
    assert sorted([*found.x[:, 0], *found.train[:, 0]]) == x[:, 0].tolist()
    assert data_rows("mnist:ink", tmp_path) is None


def test_the_summary_names_what_is_above_the_aim():
    def entry(name, total, own, why=""):
        return Entry("f", name, {"whole": {"total": total}}, own, why)

    text = summary(
        [
            entry("a", 7, {"luts": 10}),
            entry("b", 8, {"published": 10}),
            entry("c", 5, {}),
            entry("d", 11, {"luts": 10}, "it leaves out sums"),
            entry("e", 12, {"luts": 10}, "it leaves out sums"),
        ]
    )
    assert re.search(r"5 files of 1 families.* 4 have figures .*: 1 take at most 0\.7", text)
    assert "up to 1.0:\n\n- `b` 0.800.\n" in text
    assert text.endswith("Above 1.0:\n\n- `d` 1.100; `e` 1.200: it leaves out sums.")


def test_clocks_that_a_row_takes(tmp_path):
    """Three hash functions of four filters, by two hash units: six clocks; by five: three."""
    (tmp_path / "models").mkdir()
    file = bloom.save(tmp_path / "models", bloom.model(features=4, hashes=3))
    peer = next(peer for peer in PEERS if peer.family == "BTHOWeN")
    peer = replace(peer, reports=("../{stem}.rpt",))
    assert peer.clocks(file) is None
    for units, wanted in ((2, 6), (3, 3), (5, 3)):
        rows = [f"| gen_hash_inst[{i}].hasher | h3_hash_{i} | 4 |" for i in range(units)]
        (tmp_path / "m.rpt").write_text("\n".join(rows))
        assert peer.clocks(file) == wanted
    found = Entry("a", "b", {"same": {"total": 300}}, {"published": 200}, "slow", clocks=3)
    assert (found.times, found.times_a_row) == (1.5, 0.5)
    assert "`b` 1.500 (0.500 a row per clock): slow." in summary([found])
    found = replace(found, tried={"fast": 1310, "fast, area": 300})
    assert "per clock), 200 against fast 1,310, fast+area 300: slow." in summary([found])


def test_both_clocks_by_the_same_programs(tmp_path):
    """A majority of three behind a rank of registers."""
    (tmp_path / "top.v").write_text(
        "module top(input clk, input rst, input [2:0] x, output y);\n  reg [2:0] a;\n"
        "  always @(posedge clk) a <= x;\n  assign y = a[0]&a[1] | a[2]&(a[0]|a[1]);\nendmodule"
    )
    bit = IntFormat(1, False)
    layer = Enumerated.of(
        "f", lambda a, b, c: a + b + c > 1, inputs=[(0, 1, 2)], x_formats=[bit] * 3, formats=bit
    )
    ports = tuple(Port(f"x{i}", bit) for i in range(3))
    net = QuantNet("m", ports, (layer,), ((Port("y", bit), "f", 0),))
    found = clocks([tmp_path / "top.v"], "top", 1, net)
    for side in ("peer", "ours"):
        assert (found[side]["ranks"], found[side]["luts"]) == (2, 1)
        assert 50 < found[side]["mhz"] < 2000
