"""Refining networks of the zoo: the teacher, its rows, and what is written."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import nnlogic
from benchmarks.zoo import teach
from benchmarks.zoo.refine import GOLDEN_ROWS, right, taught, write
from nnlogic.frontend.native import read_golden
from nnlogic.nn import fit_thresholds
from nnlogic.refine.run import refine, start_of, worth_of
from nnlogic.refine.search import Plan
from tests.conftest import random_quant_net


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(900, 5)).astype(np.float32)
    y = (x[:, 0] > 0).astype(np.int64) + (x[:, 1] > 0)
    parts = dict(zip(("train", "val", "test"), np.split(np.arange(900), 3), strict=True))
    split = {f"x_{k}": x[v] for k, v in parts.items()} | {f"y_{k}": y[v] for k, v in parts.items()}
    return SimpleNamespace(
        **split, class_names=("a", "b", "c"), feature_names=tuple("vwxyz"), name="tiny",
        digest="0", provenance="random",
    )  # fmt: skip


def test_teacher_learns_and_rows_lie_between(rows, monkeypatch):
    for name, value in (("MEMBERS", 2), ("WIDTH", 16), ("BATCH", 64), ("BURST", 5)):
        monkeypatch.setattr(teach, name, value)
    monkeypatch.setattr(teach, "WARM_UP", 10)
    torch.manual_seed(0)
    features = teach.Features(rows.x_train)
    x, y = features(rows.x_train), torch.from_numpy(rows.y_train)
    net = teach.Perceptrons(15, 3)
    monkeypatch.setattr(teach, "KEPT", 0.9)
    # As many steps on any machine: a burst takes a tenth of a second by this clock.
    clock = itertools.count()
    monkeypatch.setattr(teach, "time", SimpleNamespace(monotonic=lambda: next(clock) / 10))
    assert teach.train(net, x, y, 5.0) > 0
    said = teach.says(net, features(rows.x_val), "cpu")
    assert np.allclose(said.sum(1), 1, atol=1e-5)
    assert (said.argmax(1) == rows.y_val).mean() > 0.6  # a third by chance
    between = teach.mixed(rows, features, "cpu")
    assert between.shape == (teach.MIXES * len(rows.x_train), 5)
    assert (between >= rows.x_train.min(0) - 1e-6).all()
    assert (between <= rows.x_train.max(0) + 1e-6).all()


def test_rows_of_a_teacher(rows, tmp_path):
    path = tmp_path / "t.npz"
    said = np.full((300, 3), 1 / 3)
    np.savez(path, train=said, mixed=said[:10], mixed_rows=rows.x_train[:10])
    x, worth = taught(rows, path, 0.5, True)
    assert x.shape == (310, 5)
    assert np.allclose(worth[:300], 0.5 / 3 + 0.5 * np.eye(3)[rows.y_train])
    assert np.allclose(worth[300:], 1 / 3)
    assert np.allclose(taught(rows, None, 0.5, True)[1], np.eye(3)[rows.y_train])


def test_a_refined_network_is_written_with_its_figures(rows, tmp_path):
    net = random_quant_net(5, widths=(6, 3), bits=2)
    thresholds = fit_thresholds(rows.x_train, (2,) * 5, "fixed", labels=rows.y_train)
    quantizer = nnlogic.quant.ir.InputQuantizer(thresholds)
    info = {**net.info, "class_names": ["a", "b", "c"]}
    start = start_of(
        type(net)(net.name, net.inputs, net.layers, net.output_wires, quantizer, info), 4
    )
    codes = nnlogic.quant.ir.InputQuantizer(start.thresholds).encode(
        rows.x_train, rows.feature_names
    )
    *_, best = refine(start, "n", codes, worth_of(rows.y_train, 3), Plan(sizes=(5,), sweeps=1))
    path = tmp_path / "n.safetensors"
    write(best, rows, path, {"plan": {}})
    again = nnlogic.load(path)
    assert again.info["accuracy"]["validation"] == right(again, rows.x_val, rows.y_val)
    x, outputs = read_golden(path)
    assert len(x) == min(GOLDEN_ROWS, len(rows.x_val))
    assert (again.evaluate(again.encode(x)) == outputs).all()
