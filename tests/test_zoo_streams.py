"""The zoo's table of streams says what its rows say, and the page has one for each network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import nnlogic
from benchmarks.zoo.__main__ import Maker
from benchmarks.zoo.row import Settings
from benchmarks.zoo.stream import HEAD, STREAM, StreamRow, row_of, table
from benchmarks.zoo.table import OURS, Zoo, page
from nnlogic.backends.stream.model.cut import cut
from nnlogic.core.errors import InputError
from nnlogic.core.names import identifier
from nnlogic.report.model import Report

ROOT = Path(__file__).parent.parent
FILES = sorted((ROOT / "zoo").glob(f"*{STREAM}*.safetensors"))
PAGE = (ROOT / "docs" / "benchmarks" / "zoo.md").read_text(encoding="utf-8")
SETTINGS = Settings("normal", "network", None)
ROW = StreamRow(
    "conv_stream_s", 98.1, 97.9, 10,
    {"kernels": 100, "dense layers": 200, "line buffers": 30, "frame register": 1,
     "window generators": 40, "stream wrapper": 9, "total": 380},
    24, 1500, 0, 4, 890, 784, 9000, 255102.0, {"3": "proved"}, 5.0,
)  # fmt: skip


def test_the_core_is_everything_but_the_wrapper():
    assert ROW.core == 371
    cells = [c.strip() for c in table([ROW]).splitlines()[-2].split("|")[1:-1]]
    assert cells[:11] == [
        "conv_stream_s", "97.90", "98.10", "100", "200", "30", "24", "41", "**371**", "9", "**380**"
    ]  # fmt: skip
    assert cells[-6:-2] == ["-", "-", "-", "-"]
    placed = replace(ROW, ecp5="placed", luts4=900, ffs=2000, fmax=156.8)
    cells = [c.strip() for c in table([placed]).splitlines()[-2].split("|")[1:-1]]
    assert cells[-6:-2] == ["900", "2000", "157", "0.200"]


def test_streams_stand_on_the_page_and_what_was_not_run_is_said():
    zoo = Zoo()
    zoo.add(OURS, ROW.name, ROW)
    zoo.add(OURS, "gone_stream_l", None)
    text = page(zoo, "notes")
    assert HEAD in text
    assert "Not measured: `gone_stream_l`." in text
    assert "ecp5 columns not run: `conv_stream_s`." in text


def test_rows_survive_json_and_hold_for_their_checkpoint(tmp_path):
    maker = Maker(FILES[0], tmp_path, SETTINGS, 1, plain=False)
    assert maker.stored() is None
    kept = replace(ROW, name=FILES[0].stem, key=SETTINGS.key(FILES[0]))
    kept.save(tmp_path / f"{FILES[0].stem}.json")
    assert maker.row(ecp5=False) == kept
    assert replace(maker, settings=replace(SETTINGS, effort="high")).stored() is None


def test_a_report_without_a_synthesized_stream_is_refused():
    with pytest.raises(InputError, match="synthesized"):
        row_of("x", Report("x", "0", "compiled"), None)


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_every_network_that_streams_is_on_the_page(path):
    net = nnlogic.load(path)
    assert len(cut(net, identifier(net.name), 1).layers) == 4
    lines = [line for line in PAGE.splitlines() if line.startswith(f"| {path.stem} |")]
    if not lines:
        (missing,) = [line for line in PAGE.splitlines() if line.startswith("Not measured: ")]
        assert f"`{path.stem}`" in missing
        return
    (line,) = lines
    cells = [c.strip(" *") for c in line.split("|")[1:-1]]
    assert float(cells[1]) == pytest.approx(100 * net.info["accuracy"]["quantized"], abs=0.01)
    parts = [int(cells[i]) for i in (3, 4, 5, 7)]
    assert int(cells[8]) == sum(parts)
    assert int(cells[10]) == sum(parts) + int(cells[9])
