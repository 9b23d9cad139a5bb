"""Models of trees and foreign files that once went wrong, with the right values."""

from pathlib import Path

import numpy as np
import pytest

import nnlogic
from nnlogic.core.errors import CheckpointError
from nnlogic.frontend import formats

FILES = Path(__file__).parent / "files"


def compiled(folder, **options):
    return nnlogic.compile(
        FILES / "xgb_early_stop.json", folder, rows=FILES / "xgb_early_stop_rows.npz",
        effort="fast", stop_after="tables", jobs=1, **options,
    )  # fmt: skip


def test_rounds_after_the_best_one_do_not_count(tmp_path):
    """The labels of these rows are what the library predicts: `best_iteration` is 0."""
    run = compiled(tmp_path / "best")
    assert "1 of 21" in run.report.source.format
    assert [row.percent for row in run.report.accuracy[:2]] == [100, 100]
    assert "0 of 300 rows (0.00%) change class by rounding" in run.report.accuracy[1].detail


def test_all_rounds_are_another_model(tmp_path):
    run = compiled(tmp_path / "all", read="rounds=all")
    assert "all 21" in run.report.source.format
    assert run.report.accuracy[0].percent == pytest.approx(100 * (300 - 52) / 300, abs=1e-3)
    assert run.report.config["read"] == "rounds=all"


def test_two_classes_by_softmax():
    net = nnlogic.load(FILES / "multi2.json")
    assert [p.name for p in net.outputs] == ["score_0", "score_1", "class"]
    rows = np.random.default_rng(0).normal(size=(200, 4)).astype(np.float32) * 2
    library = (
        "01001000010100001001011100000100011000000000001010001010000001011001010000000000"
        "00000001010000100000111000001010000100100000000000000000000010010000001000110010"
        "0000001010000000000100000000100000110100"
    )  # fmt: skip
    classes = formats()["trees"].original(net, FILES / "multi2.json", net.encode(rows))
    assert "".join(map(str, classes)) == library
    assert (net.evaluate(net.encode(rows))[:, -1] == classes).all()


@pytest.mark.parametrize(
    ("name", "what"),
    [("torchscript.pt", "a TorchScript program"), ("model.keras", "a Keras model")],
)
def test_foreign_files_are_what_they_are(name, what):
    with pytest.raises(CheckpointError) as caught:
        nnlogic.load(FILES / name)
    assert caught.value.what == f"{what}, not a checkpoint"
    assert "nnlogic.nn.save_checkpoint" in caught.value.fix
    assert "damaged" not in caught.value.text()
