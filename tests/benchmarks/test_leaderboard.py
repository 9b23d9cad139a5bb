"""The leaderboard has a row for every file of a peer, read or not."""

import json
import sys

import pytest

from benchmarks.leaderboard.__main__ import COLUMNS, main
from benchmarks.leaderboard.peers import PEERS, Peer


@pytest.fixture
def peers(tmp_path):
    folder = tmp_path / "KANELE" / "benchmarks" / "toy"
    (folder / "firmware").mkdir(parents=True)
    entries = {
        f"0_{i}_{o}": {"acive": 1, "values_int": [i, o, -i, 2]} for i in (0, 1) for o in (0, 1)
    }
    (folder / "truth_tables.json").write_text(json.dumps(entries))
    (folder / "config.json").write_text('{"layers": [2, 2], "layers_bitwidth": [2, 3]}')
    (folder / "firmware" / "post_impl_util.rpt").write_text("| CLB LUTs   |  1570 |   0 |\n")
    models = tmp_path / "HGQ-LUT-AE" / "models"
    models.mkdir(parents=True)
    (models / "m.keras").write_bytes(b"PK\3\4")
    return tmp_path


def rows(text):
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return [dict(zip(COLUMNS, line, strict=False)) for line in lines if line[0] != "family"]


def test_files_that_are_read_and_files_that_are_not(peers, monkeypatch, capsys, tmp_path):
    page = tmp_path / "page.md"
    words = ["x", "--peers", str(peers), "--effort", "fast", "--write", str(page)]
    monkeypatch.setattr(sys, "argv", words)
    main()
    read, other = rows(capsys.readouterr().out)
    assert (read["family"], read["peer's LUTs"], read["logic"]) == ("KANELE", "1,570", "proved")
    assert read["against its file"] == "sampled n=4096"
    parts = [int(read[name]) for name in ("encoder", "network", "output", "LUT6")]
    assert sum(parts[:3]) == parts[3] > 0
    assert other["family"] == "HGQ-LUT"
    assert "not compiled" in str(other)
    assert rows(page.read_text()) == [read, other]


def test_nothing_to_measure_is_an_error(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["x", "--peers", str(tmp_path)])
    with pytest.raises(SystemExit):
        main()
    assert "no file of a peer" in capsys.readouterr().err


def test_figures_of_peers(tmp_path):
    file = tmp_path / "JSC_OpenML" / "truth_tables.json"
    file.parent.mkdir()
    kanele = next(peer for peer in PEERS if peer.family == "KANELE")
    assert kanele.published(file) == "1,232 (paper)"
    (file.parent / "res.txt").write_text("LUT=334\nFF=139\n")
    assert Peer("a", "b", "c", reports=("res.txt",)).published(file) == "334"
    (file.parent / "res.txt").write_text("nothing")
    assert Peer("a", "b", "c", reports=("res.txt",)).published(file) == ""
