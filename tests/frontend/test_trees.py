"""Boosted trees: the network is the trees with rounded leaves, bit for bit."""

import copy
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nnlogic
from nnlogic.core.errors import CheckpointError, UnsupportedModel, UsageError
from nnlogic.frontend.trees.ensemble import LEAF, Cut, Tree, TreeEnsemble, decide, quantize_leaves
from nnlogic.frontend.trees.net import tree_net
from nnlogic.frontend.trees.sklearn import from_sklearn
from nnlogic.frontend.trees.xgboost import read_xgboost
from nnlogic.quant.ir import InputQuantizer

DATA = Path(__file__).parent / "data"
FEATURES = 3


@st.composite
def trees(draw, output, bound):
    """A tree of at most 15 nodes."""
    nodes = []

    def node(depth):
        at = len(nodes)
        nodes.append([0, 0.0, LEAF, LEAF, draw(st.integers(-40, 40)) / 8])
        if depth and draw(st.booleans()):
            nodes[at][:2] = draw(st.integers(0, FEATURES - 1)), draw(bound)
            nodes[at][2] = node(depth - 1)
            nodes[at][3] = node(depth - 1)
        return at

    node(4)
    feature, bounds, left, right, value = zip(*nodes, strict=True)
    return Tree(
        output,
        np.array(feature),
        np.array(bounds, dtype=np.float32),
        np.array(left),
        np.array(right),
        np.array(value),
    )


@st.composite
def ensembles(draw, bound):
    """Five trees for two or three classes; the last one splits, with the widest leaves."""
    scores = draw(st.sampled_from((1, 3)))
    found = [draw(trees(draw(st.integers(0, scores - 1)), bound)) for _ in range(4)]
    stump = Tree(
        0,
        np.zeros(3, np.int64),
        np.array([1, 0, 0], np.float32),
        np.array([1, LEAF, LEAF]),
        np.array([2, LEAF, LEAF]),
        np.array([0.0, 5.0, -5.0]),
    )
    base = np.array([draw(st.integers(-8, 8)) / 8 for _ in range(scores)])
    classes = ("a", "b") if scores == 1 else ("a", "b", "c")
    return TreeEnsemble("t", ("x", "y", "z"), classes, (*found, stump), base)


def halves(low, high):
    return st.integers(low, high).map(lambda v: v / 2)


def same(net, ensemble, leaves, rows):
    out = net.evaluate(net.encode(rows))
    scores = leaves.scores(ensemble, rows)
    np.testing.assert_array_equal(out[:, -1], decide(scores, ensemble.cut))
    if scores.shape[1] > 1:
        shift = out[:, :-1] - scores
        assert (shift == shift[0, 0]).all()


@settings(max_examples=60, deadline=None)
@given(
    ensembles(st.integers(-4, 4).map(lambda v: v / 2)),
    st.integers(1, 6),
    st.sampled_from((3, 4, 8)),
)
def test_raw_rows_equal_the_integer_trees(ensemble, bits, table_bits):
    leaves = quantize_leaves(ensemble, bits)
    net = tree_net(ensemble, leaves=bits, table_bits=table_bits)
    axis = np.arange(-5, 6) / 2
    rows = np.stack(np.meshgrid(axis, axis, axis), -1).reshape(-1, 3).astype(np.float32)
    same(net, ensemble, leaves, rows)
    assert net.quantizer is not None
    nets = np.concatenate(net.quantizer.thresholds)
    assert set(nets) <= {b for t in ensemble.trees for b in t.bound[~t.leaves]}


@settings(max_examples=40, deadline=None)
@given(ensembles(halves(-2, 10)), st.integers(1, 4))
def test_trees_on_codes_equal_the_integer_trees(ensemble, bits):
    leaves = quantize_leaves(ensemble, bits)
    thresholds = tuple(np.arange(1, 4, dtype=np.float32) for _ in range(FEATURES))
    net = tree_net(ensemble, leaves=leaves, codes=(InputQuantizer(thresholds), (2, 2, 2)))
    axis = np.arange(4)
    rows = np.stack(np.meshgrid(axis, axis, axis), -1).reshape(-1, 3).astype(np.float32)
    same(net, ensemble, leaves, rows)


def test_a_wrong_leaf_is_noticed():
    ensemble = read_xgboost(DATA / "xgboost_multi.json")
    leaves = quantize_leaves(ensemble, 4)
    net = tree_net(ensemble, leaves=leaves)
    rows = np.load(DATA / "xgboost_margins.npz")["rows"]
    same(net, ensemble, leaves, rows)
    last = ensemble.trees[0].arrive(rows)[0]
    values = [v.copy() for v in leaves.values]
    values[0][last] += 1
    with pytest.raises(AssertionError):
        same(net, ensemble, replace(leaves, values=tuple(values)), rows)


def test_rounding_of_leaves():
    two = Tree(
        0,
        np.zeros(3, np.int64),
        np.zeros(3, np.float32),
        np.array([1, LEAF, LEAF]),
        np.array([2, LEAF, LEAF]),
        np.array([9.0, -1.0, 2.0]),
    )
    small = replace(two, value=np.array([0.0, 0.25, 0.75]))
    ensemble = TreeEnsemble("t", ("x",), ("a", "b"), (two, small), np.array([0.5]))
    leaves = quantize_leaves(ensemble, 2)
    assert leaves.step == 1.0
    assert [v.tolist() for v in leaves.values] == [[0, 0, 3], [0, 0, 0]]
    # 0.5 - 1 + 0.25, rounded.
    assert leaves.bias.tolist() == [0]
    with pytest.raises(UsageError, match="leaf bits"):
        quantize_leaves(ensemble, 0)
    with pytest.raises(UsageError, match="table bits"):
        tree_net(ensemble, table_bits=2)


@pytest.mark.parametrize("kind", ["binary", "multi"])
def test_xgboost_scores_and_network(kind):
    with np.load(DATA / "xgboost_margins.npz") as file:
        rows, margins = file["rows"], file[kind]
    path = DATA / f"xgboost_{kind}.json"
    ensemble = read_xgboost(path)
    scores = ensemble.scores(rows)
    np.testing.assert_allclose(scores, margins.reshape(scores.shape), rtol=0, atol=2e-6)
    names = ("mass", "width", "c2", "tau") if kind == "binary" else ("f0", "f1", "f2", "f3")
    assert ensemble.features == names
    net = nnlogic.load(path)
    assert net.name == f"xgboost_{kind}"
    same(net, ensemble, quantize_leaves(ensemble, 4), rows)
    fine = tree_net(ensemble, leaves=6)
    agree = fine.evaluate(fine.encode(rows))[:, -1] == ensemble.predict(rows)
    assert agree.mean() >= 0.95


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("kind", ["HistGradientBoosting", "GradientBoosting"])
def test_scikit_learn_scores_and_network(kind, classes):
    from sklearn import ensemble as sk

    rng = np.random.default_rng(classes)
    x = rng.integers(-6, 7, (300, 4)).astype(np.float32) / 4
    y = np.digitize(x[:, 0] + x[:, 1] * x[:, 2], [-0.2, 0.6][: classes - 1])
    if kind == "HistGradientBoosting":
        model = sk.HistGradientBoostingClassifier(max_iter=3, max_depth=3).fit(x, y)
        expected = model._raw_predict(x.astype(np.float64))
    else:
        model = sk.GradientBoostingClassifier(n_estimators=3, max_depth=4, random_state=0)
        expected = model.fit(x, y).decision_function(x)
    found = from_sklearn(model, name="sk")
    scores = found.scores(x)
    np.testing.assert_allclose(scores, np.asarray(expected).reshape(scores.shape), atol=1e-9)
    same(tree_net(found, leaves=3), found, quantize_leaves(found, 3), x)


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("kind", ["RandomForest", "ExtraTrees", "DecisionTree"])
def test_averages_of_scikit_learn(kind, classes):
    """The library averages the shares of classes at the leaves, and takes the largest mean."""
    from sklearn import ensemble as sk
    from sklearn.tree import DecisionTreeClassifier

    rng = np.random.default_rng(classes)
    x = rng.normal(size=(400, 4)).astype(np.float32)
    y = np.digitize(x[:, 0] + x[:, 1] * x[:, 2], [-0.5, 0.1, 0.6][: classes - 1])
    shape = {"max_depth": 4, "random_state": 0}
    if kind == "DecisionTree":
        model = DecisionTreeClassifier(**shape).fit(x, y)
    else:
        model = getattr(sk, f"{kind}Classifier")(n_estimators=7, **shape).fit(x, y)
    found = from_sklearn(model)
    rows = rng.normal(size=(2000, 4)).astype(np.float32)
    np.testing.assert_array_equal(found.predict(rows), model.predict(rows))
    mean = found.scores(rows) / (1 if kind == "DecisionTree" else 7)
    np.testing.assert_allclose(mean, model.predict_proba(rows), atol=1e-12)
    same(tree_net(found), found, quantize_leaves(found, 4), rows)


def test_splits_of_missing_values_alone_send_no_number_right():
    from sklearn.ensemble import HistGradientBoostingClassifier

    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 2))
    x[:200, 0] = np.nan
    y = np.where(np.isnan(x[:, 0]), 1, x[:, 1] > 1).astype(int)
    model = HistGradientBoostingClassifier(max_iter=3, max_depth=3).fit(x, y)
    roots = [row[0].nodes[0] for row in model._predictors]
    assert any(np.isinf(root["num_threshold"]) for root in roots)
    rows = rng.normal(size=(500, 2)).astype(np.float32)
    found = from_sklearn(model)
    expected = model._raw_predict(rows.astype(np.float64))
    np.testing.assert_allclose(found.scores(rows), expected, atol=1e-12)
    np.testing.assert_array_equal(found.predict(rows), model.predict(rows))


def test_boosting_from_another_model_is_refused():
    from sklearn.ensemble import GradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression

    x, y = np.arange(20.0)[:, None], np.arange(20) % 2
    for init in (None, "zero"):
        from_sklearn(GradientBoostingClassifier(n_estimators=2, init=init).fit(x, y))
    model = GradientBoostingClassifier(n_estimators=2, init=LogisticRegression()).fit(x, y)
    with pytest.raises(UnsupportedModel, match="begins with another model"):
        from_sklearn(model)


def test_other_estimators_are_refused():
    from sklearn.linear_model import LogisticRegression
    from sklearn.tree import DecisionTreeClassifier

    for model in (DecisionTreeClassifier(), LogisticRegression()):
        with pytest.raises(UnsupportedModel, match=type(model).__name__):
            from_sklearn(model)
    many = DecisionTreeClassifier().fit([[0.0], [1.0]], [[0, 1], [1, 0]])
    with pytest.raises(UnsupportedModel, match="several targets"):
        from_sklearn(many)


def test_sums_too_wide_for_a_table_of_signs():
    """Two classes by one sum of 300 trees: compared as two sums, and with ties as one decides."""
    rng = np.random.default_rng(0)
    found = [
        Tree(
            0,
            np.zeros(3, np.int64),
            np.array([k % 5, 0, 0], np.float32),
            np.array([1, LEAF, LEAF]),
            np.array([2, LEAF, LEAF]),
            np.array([0.0, -1.0, 1.0]) * (1 + k % 3),
        )
        for k in rng.integers(0, 30, 400)
    ]
    rows = np.arange(-1, 6, 0.5, dtype=np.float32)[:, None]
    for strict in (False, True):
        for shift in range(3):
            ensemble = TreeEnsemble(
                "t", ("x",), ("a", "b"), tuple(found), np.zeros(1), cut=Cut(strict=strict)
            )
            balance = ensemble.scores(rows)[shift + 4]
            ensemble = replace(ensemble, base=-balance)
            leaves = quantize_leaves(ensemble, 6)
            net = tree_net(ensemble, leaves=leaves)
            assert net.layers[-1].kind == "Argmax"
            assert [p.name for p in net.outputs] == ["class"]
            same(net, ensemble, leaves, rows)
            # A sum of exactly 0 is among the rows.
            assert (leaves.scores(ensemble, rows) == 0).any()


def changed(tmp_path, change):
    model = json.loads((DATA / "xgboost_multi.json").read_text())
    change(model["learner"])
    path = tmp_path / "model.json"
    path.write_text(json.dumps(model))
    return path


def tree(learner, i=0):
    return learner["gradient_booster"]["model"]["trees"][i]


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (lambda m: m["objective"].update(name="reg:squarederror"), UnsupportedModel, "reg:squared"),
        (lambda m: m["gradient_booster"].update(name="dart"), UnsupportedModel, "booster dart"),
        (lambda m: tree(m).update(split_type=[1] * 3), UnsupportedModel, "categories"),
        (lambda m: m["gradient_booster"]["model"].pop("tree_info"), CheckpointError, "incomplete"),
        (lambda m: tree(m)["left_children"].__setitem__(0, 0), CheckpointError, "circles"),
        (lambda m: tree(m)["split_indices"].__setitem__(0, 9), UnsupportedModel, "feature beyond"),
        (lambda m: m["gradient_booster"]["model"].update(trees=[], tree_info=[]),
         CheckpointError, "0 trees do not make"),
        (lambda m: (m["gradient_booster"]["model"].update(trees=[], tree_info=[]),
                    m["gradient_booster"]["model"].pop("iteration_indptr", 0)),
         UnsupportedModel, "there are none"),
    ],
)  # fmt: skip
def test_files_that_cannot_be_read(tmp_path, change, error, words):
    with pytest.raises(error, match=words):
        nnlogic.load(changed(tmp_path, copy.deepcopy(change)))


def test_other_json_is_refused(tmp_path):
    path = tmp_path / "model.json"
    path.write_text('{"a": 1}')
    with pytest.raises(CheckpointError, match="not an xgboost model"):
        nnlogic.load(path)


def test_trees_that_decide_nothing():
    leaf = Tree(
        0, np.zeros(1, np.int64), np.zeros(1, np.float32), np.array([LEAF]), np.array([LEAF]),
        np.ones(1),
    )  # fmt: skip
    ensemble = TreeEnsemble("t", ("x",), ("a", "b"), (leaf,), np.zeros(1))
    with pytest.raises(UnsupportedModel, match="decide nothing"):
        tree_net(ensemble)


def test_compile(tmp_path):
    run = nnlogic.compile(
        DATA / "xgboost_binary.json", tmp_path / "run", effort="fast", stop_after="logic", jobs=1
    )
    assert run.report.source.format == "xgboost JSON"
    assert not run.report.failed
