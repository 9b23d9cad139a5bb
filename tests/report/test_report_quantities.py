"""Networks of quantities in rows, reports and files: errors in units, predictions of every row."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest

import nnlogic
from nnlogic.core.errors import InputError
from nnlogic.core.formats import IntFormat, Port
from nnlogic.data import read_rows
from nnlogic.job.ladder import accuracy_rows
from nnlogic.job.rows import load_rows, read_saved
from nnlogic.quant.ir import Enumerated, QuantNet
from nnlogic.quant.quantity import Quantity, stated
from nnlogic.report import model
from nnlogic.report.html import render_html

BITS = IntFormat(4)


def square(*names):
    """Outputs x * x and 15 - x, of one input of 4 bits."""
    values = np.arange(16)
    tables = (values * values, 15 - values)
    formats = (IntFormat(8), BITS)
    layer = Enumerated("t", ("input",), ((0,),) * 2, tables, formats, (BITS,))
    quantities = [Quantity(names[0], -1, 3), Quantity(names[1], 2, 0)]
    ports = [Port(q.port, f) for q, f in zip(quantities, formats, strict=True)]
    wires = tuple((port, "t", i) for i, port in enumerate(ports))
    info = stated(quantities)
    net = QuantNet("sq", (Port("x", BITS),), (layer,), wires, info=info)
    net.verify()
    return net


def test_errors_and_predictions_are_in_the_units_of_the_rows(tmp_path):
    x = np.arange(16)
    wanted = np.stack([(x * x + 3) / 2 + 1, (15 - x) * 4.0], axis=1)
    rows = tmp_path / "rows.csv"
    lines = [f"{b},{a},{v}" for v, (a, b) in zip(x, wanted, strict=True)]
    rows.write_text("\n".join(["fall,rise,x", *lines]))
    net = square("rise", "fall")
    run = nnlogic.compile(net, tmp_path / "run", rows=rows, effort="fast", jobs=1)
    found = {(row.stage, row.quantity): row for row in run.report.errors}
    assert set(found) == {(s, q) for s in ("quantized", "tables") for q in ("rise", "fall")}
    for stage in ("quantized", "tables"):
        rise = found[stage, "rise"]
        assert (rise.rmse, rise.mae, rise.bias, rise.p90, rise.n) == (1, 1, -1, 1, 16)
        assert found[stage, "fall"].rmse == 0
    assert run.report.accuracy == ()
    first = run.report.predictions[0]
    assert (first.row, first.quantity, first.code, first.found, first.wanted) == (
        0, "rise", 0, 1.5, 2.5,
    )  # fmt: skip
    with (tmp_path / "run" / "predictions.csv").open() as file:
        table = list(csv.DictReader(file))
    assert [float(row["rise"]) for row in table] == ((x * x + 3) / 2).tolist()
    assert [int(row["code fall"]) for row in table] == (15 - x).tolist()
    assert [float(row["wanted fall"]) for row in table] == wanted[:, 1].tolist()
    kept, _ = read_saved(tmp_path / "run" / "sim" / "rows.npz", net.inputs)
    np.testing.assert_array_equal(kept.labels, wanted)
    data = json.loads((tmp_path / "run" / "report.json").read_text())
    assert data["network"]["quantities"][0] == "rise = (value_rise +3) * 2**-1"
    schema = Path(model.__file__).with_name("schema.json")
    jsonschema.validate(data, json.loads(schema.read_text()))
    page = render_html(run.report)
    assert "predictions.csv" in page
    assert "value_rise" in page


def test_a_wrong_output_is_a_larger_error():
    net = square("rise", "fall")
    rows = replace(load_rows(net, np.arange(16)[:, None]), labels=None)
    outputs = net.evaluate(rows.codes)
    rows = replace(rows, labels=net.decode(outputs))
    assert all(row.rmse == 0 for row in accuracy_rows(net, rows, "RTL", outputs))
    outputs[3, 1] += 1
    rise, fall = accuracy_rows(net, rows, "RTL", outputs)
    assert (rise.rmse, fall.rmse) == (0, pytest.approx(4 / np.sqrt(16)))


@pytest.mark.parametrize(
    ("text", "targets", "label", "values"),
    [
        ("x,e\n1,2.5\n2,3.5", ["e"], None, [[2.5], [3.5]]),
        ("x,y\n1,2.5\n2,3.5", ["e"], None, [[2.5], [3.5]]),
        ("x,z\n1,2.5\n2,3.5", ["e"], "z", [[2.5], [3.5]]),
        ("b,x,a\n1,2,3\n4,5,6", ["a", "b"], None, [[3, 1], [6, 4]]),
        ("x\n1\n2", ["x"], None, [[1], [2]]),
        ("x\n1\n2", ["a", "b"], None, None),
    ],
)
def test_quantities_of_rows_are_found_by_name(text, targets, label, values, tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text(text)
    found = read_rows(path, ["x"], label=label, targets=targets)
    assert (None if found.labels is None else found.labels.tolist()) == values


@pytest.mark.parametrize(
    ("text", "targets", "why"),
    [
        ("x,a\n1,2", ["a", "b"], "no column b"),
        ("x,a\n1,2\n3,", ["a"], "line 3"),
        ("x,a\n1,2\n3,much", ["a"], "'much', not a number"),
    ],
)
def test_quantities_that_are_not_there_are_refused(text, targets, why, tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=why):
        read_rows(path, ["x"], targets=targets)
