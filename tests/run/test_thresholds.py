"""Thresholds in a run's files are those of the quantizer, to the last bit."""

import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest

from nnlogic.core.inert import CsvCell
from nnlogic.job.thresholds import threshold_files, thresholds_csv, thresholds_json
from nnlogic.quant.ir import InputQuantizer


@pytest.fixture
def net(make_net):
    rng = np.random.default_rng(4)
    net = make_net(3)
    thresholds = tuple(
        np.sort(rng.normal(size=(1 << p.format.bits) - 1) / 3).astype(np.float32)
        for p in net.inputs
    )
    return replace(net, quantizer=InputQuantizer(thresholds))


def test_both_files_hold_every_threshold_exactly(net):
    want = net.quantizer.thresholds
    features = json.loads(thresholds_json(net, net.quantizer))["features"]
    assert [f["name"] for f in features] == [p.name for p in net.inputs]
    for feature, row in zip(features, want, strict=True):
        assert (np.array(feature["thresholds"], np.float32) == row).all()
    rows = list(csv.DictReader(io.StringIO(thresholds_csv(net, net.quantizer))))
    assert (np.array([r["from"] for r in rows], np.float32) == np.concatenate(want)).all()
    assert [int(r["code"]) for r in rows] == [c for t in want for c in range(1, len(t) + 1)]


def test_codes_made_from_the_file_are_those_of_the_quantizer(net):
    rng = np.random.default_rng(5)
    raw = rng.normal(size=(200, len(net.inputs))).astype(np.float32)
    raw[:50] = np.stack([rng.choice(t, 50) for t in net.quantizer.thresholds], axis=1)
    features = json.loads(thresholds_json(net, net.quantizer))["features"]
    codes = np.stack(
        [
            (raw[:, [i]] >= np.array(f["thresholds"], np.float32)).sum(axis=1)
            for i, f in enumerate(features)
        ],
        axis=1,
    )
    names = tuple(p.name for p in net.inputs)
    assert (codes == net.quantizer.encode(raw, names)).all()


def test_codes_that_are_wires_say_which_number_they_are_bits_of(net):
    bits = net.inputs[0].format.bits
    even = (np.arange(1, 1 << bits) / 4).astype(np.float32)
    quantizer = InputQuantizer((even, *net.quantizer.thresholds[1:]))
    first, *rest = json.loads(thresholds_json(net, quantizer))["features"]
    assert first["fixed_point"] == f"u{bits - 2}.2"
    assert {f["fixed_point"] for f in rest} == {None}


def test_a_network_that_reads_codes_has_no_files(net, tmp_path):
    assert threshold_files(replace(net, quantizer=None), tmp_path) == []
    assert not list(tmp_path.iterdir())
    made = threshold_files(net, tmp_path)
    assert [(tmp_path / a.path).exists() for a in made] == [True, True]


@pytest.mark.parametrize("name", ["=1+1", "@sum", "-x", " +x"])
def test_no_name_is_a_formula(name):
    assert CsvCell(name) == f"'{name}"
    assert CsvCell("a=b\n") == "a=b<U+000A>"
