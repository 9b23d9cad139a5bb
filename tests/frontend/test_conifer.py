"""Models of conifer: scores are those of its own Python backend, which were recorded."""

import json
from pathlib import Path

import numpy as np
import pytest

import nnlogic
from nnlogic.checks.inputs import first_rung
from nnlogic.checks.inputs.conifer import check_conifer
from nnlogic.core.errors import NNLogicError, UnsupportedModel
from nnlogic.frontend.conifer.read import read_conifer
from nnlogic.frontend.trees.ensemble import quantize_leaves

DATA = Path(__file__).parent / "data" / "conifer"


@pytest.mark.parametrize("name", ["binary", "multi", "tmva"])
def test_scores_are_conifer_s(name):
    path = DATA / f"{name}.json"
    with np.load(DATA / "predictions.npz") as file:
        rows, expected = file["rows"], file[f"{name}.scores"]
    ensemble = read_conifer(path)
    scores = ensemble.scores(rows)
    np.testing.assert_allclose(scores, expected.reshape(scores.shape), rtol=0, atol=1e-14)
    one = scores.shape[1] == 1
    strict = name == "tmva"
    classes = (expected > 0 if strict else expected >= 0) if one else expected.argmax(axis=1)
    np.testing.assert_array_equal(ensemble.predict(rows), classes)
    net = nnlogic.load(path)
    sums = quantize_leaves(ensemble, 4).scores(ensemble, rows)
    classes = (sums[:, 0] > 0 if strict else sums[:, 0] >= 0) if one else sums.argmax(axis=1)
    np.testing.assert_array_equal(net.evaluate(net.encode(rows))[:, -1], classes)
    verdict = first_rung(net).check(net, path, 60)()
    assert (verdict.equal, verdict.how) == (True, "sampled n=4096")
    assert net.info["format"] == "conifer JSON"


def changed(tmp_path, change, name="multi"):
    document = json.loads((DATA / f"{name}.json").read_text())
    change(document)
    path = tmp_path / "m.json"
    path.write_text(json.dumps(document))
    return path


def tree(document):
    return document["trees"][0][0]


def test_a_changed_file_is_found(tmp_path):
    net = nnlogic.load(DATA / "multi.json")
    assert check_conifer(net, DATA / "multi.json").equal
    for change in (
        lambda d: tree(d)["threshold"].__setitem__(0, 9.0),
        lambda d: tree(d).update(value=[v + (i == 4) for i, v in enumerate(tree(d)["value"])]),
        lambda d: d.update(splitting_convention="<"),
    ):
        assert not check_conifer(net, changed(tmp_path, change)).equal


def test_forests_and_oblique_splits_are_refused(tmp_path):
    with pytest.raises(UnsupportedModel, match=r"from_sklearn") as caught:
        nnlogic.load(DATA / "forest.json")
    assert "random forest" in caught.value.what
    for row in ([1, 1, 0, 0], [2, 0, 0, 0], [0, 0, 0, 0]):
        path = changed(tmp_path, lambda d, row=row: tree(d)["weight"].__setitem__(0, row))
        with pytest.raises(UnsupportedModel, match="several features"):
            nnlogic.load(path)


BROKEN = {
    "convention": lambda d: d.update(splitting_convention="=="),
    "count": lambda d: d.update(n_trees=9),
    "features": lambda d: d.update(n_features=3),
    "many": lambda d: d.update(n_features=10**9),
    "classes": lambda d: d.update(n_classes=4),
    "one class": lambda d: d.update(n_classes=1),
    "text": lambda d: d.update(n_classes="three"),
    "norm": lambda d: d.update(norm=0),
    "no norm": lambda d: d.pop("norm"),
    "init": lambda d: d.update(init_predict=["a"]),
    "names": lambda d: d.update(feature_map={"a": 0, "b": 0, "c": 1, "d": 2}),
    "group": lambda d: d["trees"].__setitem__(0, 5),
    "tree": lambda d: d["trees"][0].__setitem__(0, []),
    "missing": lambda d: tree(d).pop("value"),
    "short": lambda d: tree(d)["value"].pop(),
    "nan": lambda d: tree(d)["threshold"].__setitem__(0, float("nan")),
    "infinite": lambda d: tree(d)["threshold"].__setitem__(0, float("inf")),
    "child": lambda d: tree(d)["children_left"].__setitem__(0, 99),
    "circle": lambda d: tree(d)["children_left"].__setitem__(0, 0),
    "leaf": lambda d: tree(d)["feature"].__setitem__(0, -2),
    "feature": lambda d: tree(d).update(feature=[9] * 15, weight=None),
    "weight": lambda d: tree(d)["weight"].pop(),
    "weights": lambda d: tree(d)["weight"].__setitem__(0, [1]),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_wrong_is_named(tmp_path, name):
    with pytest.raises(NNLogicError) as caught:
        nnlogic.load(changed(tmp_path, BROKEN[name]))
    assert "m.json" in caught.value.text()
    assert caught.value.exit_code == 3


def test_a_file_cut_short(tmp_path):
    path = tmp_path / "m.json"
    path.write_text((DATA / "multi.json").read_text()[:3000])
    with pytest.raises(NNLogicError, match="JSON"):
        nnlogic.load(path)
