"""xgboost files against QuantNet, with planted faults."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

import nnlogic
from nnlogic.checks.inputs.trees import check_trees
from nnlogic.core.archive import frozen
from nnlogic.quant.ir import Enumerated

DATA = Path(__file__).parents[2] / "frontend" / "data"


@pytest.mark.parametrize("kind", ["binary", "multi"])
def test_imported_trees_are_equal(kind):
    path = DATA / f"xgboost_{kind}.json"
    verdict = check_trees(nnlogic.load(path), path)
    assert (verdict.equal, verdict.how) == (True, "sampled n=4096"), verdict.text()
    assert verdict.left == "xgboost trees, leaves of 4 bits"


@pytest.mark.parametrize("kind", ["binary", "multi"])
def test_a_wrong_table_is_found(kind):
    path = DATA / f"xgboost_{kind}.json"
    net = nnlogic.load(path)
    at, layer = next(
        (i, la) for i, la in enumerate(net.layers)
        if isinstance(la, Enumerated) and la.name == "trees_0"
    )  # fmt: skip
    table = layer.tables[0].copy()
    table[:] = table[::-1]
    wrong = dataclasses.replace(layer, tables=(frozen(table, np.int64), *layer.tables[1:]))
    bad = dataclasses.replace(net, layers=(*net.layers[:at], wrong, *net.layers[at + 1 :]))
    assert not check_trees(bad, path).equal


@pytest.mark.parametrize("kind", ["binary", "multi"])
def test_a_moved_bound_and_negated_leaves_are_found(kind, tmp_path):
    path = DATA / f"xgboost_{kind}.json"
    net = nnlogic.load(path)
    for change in ("bound", "leaf"):
        model = json.loads(path.read_text())
        tree = model["learner"]["gradient_booster"]["model"]["trees"][0]
        leaves = [i for i, left in enumerate(tree["left_children"]) if left < 0]
        if change == "bound":
            tree["split_conditions"][0] += 0.3
        else:
            for leaf in leaves:
                tree["split_conditions"][leaf] *= -1
        other = tmp_path / f"{change}.json"
        other.write_text(json.dumps(model))
        assert not check_trees(net, other).equal, change


def test_compile_states_the_first_rung(tmp_path):
    path = DATA / "xgboost_multi.json"
    run = nnlogic.compile(path, tmp_path / "run", stop_after="quant", jobs=1)
    (check,) = run.report.rung(1).checks
    assert (check.title, check.verdict) == ("input trees = QuantNet", "pass")
    again = nnlogic.compile(
        run.path, tmp_path / "again", start_from="tables", stop_after="tables", jobs=1
    )
    (check,) = again.report.rung(1).checks
    assert (check.title, check.verdict) == ("input trees = QuantNet", "not run")
    assert "does not hold the trees" in check.detail
    # A saved stage is a file of another format: it remembers where the network came from.
    stage = run.path / "ir" / "quant.safetensors"
    third = nnlogic.compile(stage, tmp_path / "third", stop_after="quant", jobs=1)
    assert third.report.source.format == "nnlogic checkpoint"
    assert "does not hold the trees" in third.report.rung(1).checks[0].detail
