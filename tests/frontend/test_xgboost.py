"""Models of xgboost give what xgboost gave: `record_xgboost.py` made them and the predictions."""

import dataclasses
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

import nnlogic
from nnlogic.checks.inputs.trees import check_trees
from nnlogic.core.errors import CheckpointError, UnsupportedModel, UsageError
from nnlogic.frontend import formats
from nnlogic.frontend.trees.ensemble import Cut, decide, quantize_leaves
from nnlogic.frontend.trees.net import rows_of
from nnlogic.frontend.trees.xgboost import read_xgboost

DATA = Path(__file__).parent / "data" / "xgboost"
with np.load(DATA / "predictions.npz") as _file:
    RECORDED = dict(_file)
ROWS = RECORDED["rows"]
READ = sorted({name.split(".")[0] for name in RECORDED} - {"rows"})
FILES = [path for name in READ for path in sorted(DATA.glob(f"{name}.[ju]*"))]


def recorded(path):
    return tuple(RECORDED[f"{path.stem}.{what}"] for what in ("margins", "classes", "rounds"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_predictions_are_those_of_the_library(path):
    margins, classes, rounds = recorded(path)
    ensemble = read_xgboost(path)
    scores = ensemble.scores(ROWS)
    assert scores.dtype == np.float32
    np.testing.assert_array_equal(scores, margins.reshape(scores.shape))
    np.testing.assert_array_equal(ensemble.predict(ROWS), classes)
    assert ensemble.rounds.held == rounds[1]
    assert ensemble.rounds.used == (rounds[0] or rounds[1])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_networks_are_the_trees_with_rounded_leaves(path):
    ensemble = read_xgboost(path)
    if not any(tree.value[tree.leaves].any() for tree in ensemble.trees):
        with pytest.raises(UnsupportedModel, match="decide nothing"):
            nnlogic.load(path)
        return
    net = nnlogic.load(path)
    leaves = quantize_leaves(ensemble, 4)
    found = net.evaluate(net.encode(ROWS))[:, -1]
    np.testing.assert_array_equal(found, decide(leaves.scores(ensemble, ROWS), ensemble.cut))
    assert check_trees(net, path).equal
    assert (found == recorded(path)[1]).mean() > 0.9


def test_there_are_recordings_of_every_kind():
    assert {path.suffix for path in FILES} == {".json", ".ubj"}
    assert all((np.bincount(recorded(p)[1]) > 0).sum() > 1 for p in FILES if p.stem != "ties")
    assert sum(recorded(path)[2][0] not in (0, recorded(path)[2][1]) for path in FILES) >= 3
    assert (RECORDED["ties.margins"] == 0).all()


def test_a_wrong_order_of_sums_would_be_noticed():
    ensemble = read_xgboost(DATA / "softprob.json")
    scores = np.tile(np.float32(0), (len(ROWS), 3))
    for tree in ensemble.trees:
        scores[:, tree.output] += tree.value.astype(np.float32)[tree.arrive(ROWS)]
    scores += ensemble.base.astype(np.float32)
    np.testing.assert_allclose(scores, RECORDED["softprob.margins"], atol=1e-6)
    assert (scores != RECORDED["softprob.margins"]).any()


def test_probabilities_are_above_a_half_from_the_library_s_own_bound():
    """The bound was found with xgboost 3.2: scores just above 0 round to a probability of 0.5."""
    ensemble = read_xgboost(DATA / "logistic.json")
    bound = np.float32(1.5 * 2.0**-24)
    scores = np.array([0, bound, np.nextafter(bound, np.float32(1))], dtype=np.float64)
    assert ensemble.cut.decide(scores).tolist() == [False, False, True]
    assert Cut().decide(np.array([0.0, -1e-30])).tolist() == [True, False]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("dart", "DART model.*booster dart"),
        ("gblinear", "linear model of xgboost, without trees.*gblinear"),
        ("regression", "no classifier.*reg:squarederror"),
        ("ranking", "no classifier.*rank:pairwise"),
        ("survival", "no classifier.*survival:cox"),
        ("targets", "several targets.*2 targets"),
        ("vector_leaves", "tree 0 and 4 more.*vector at every leaf"),
        ("categories", "splits on categories"),
    ],
)
def test_other_models_are_named_in_one_line(name, words):
    with pytest.raises(UnsupportedModel) as caught:
        nnlogic.load(DATA / f"{name}.json")
    text = " ".join(caught.value.text().split())
    assert re.search(words, text), text
    assert len(caught.value.problems) <= 1


def changed(tmp_path, name, change):
    model = json.loads((DATA / f"{name}.json").read_text())
    change(model["learner"])
    path = tmp_path / f"{name}.json"
    path.write_text(json.dumps(model))
    return path


def base(learner, text):
    learner["learner_model_param"]["base_score"] = text


@pytest.mark.parametrize(
    ("name", "text"),
    [("logistic_base", "3E-1"), ("logistic_base", "0.3"), ("logistic_base", "[3E-1]"),
     ("softprob_base", "4E-1"), ("softprob_base", "[4E-1]"), ("softprob_base", "[.4, .4,4e-1]")],
)  # fmt: skip
def test_every_form_of_the_base_score(tmp_path, name, text):
    path = changed(tmp_path, name, lambda learner: base(learner, text))
    scores = read_xgboost(path).scores(ROWS)
    np.testing.assert_array_equal(scores, recorded(path)[0].reshape(scores.shape))


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [("logistic", "1", "not a probability"), ("logistic", "0", "not a probability"),
     ("logistic", "nan", "not a probability"), ("softprob", "nan", "base score NaN"),
     ("softprob", "1e39", "base score NaN or infinite"), ("softprob", "1e38", "too large"),
     ("softprob", "[1,2]", "2 numbers for 3 scores"), ("softprob", "", "not numbers"),
     ("hinge", "[1,2]", "2 numbers for 1 scores"), ("hinge", "None", "not numbers")],
)  # fmt: skip
def test_base_scores_that_make_no_sense(tmp_path, name, text, words):
    path = changed(tmp_path, name, lambda learner: base(learner, text))
    with pytest.raises((CheckpointError, UnsupportedModel)) as caught:
        nnlogic.load(path)
    assert words in " ".join(caught.value.text().split())


def test_all_rounds_on_demand():
    path = DATA / "softprob_stop.json"
    used, held = recorded(path)[2]
    best, every = nnlogic.load(path), nnlogic.load(path, read="rounds=all")
    assert (best.info["trees"], every.info["trees"]) == (3 * used, 3 * held)
    assert best.info["rounds"] == f"{used} of {held}, up to the best_iteration of early stopping"
    assert every.info["rounds"] == f"all {held}, also those after best_iteration {used - 1}"
    assert check_trees(best, path).equal
    assert check_trees(every, path).equal
    # Either check fails for the other network.
    for net in (best, every):
        info = {**net.info, "all_rounds": net is best}
        assert not check_trees(dataclasses.replace(net, info=info), path).equal


@pytest.mark.parametrize(
    ("read", "words"),
    [("rounds=some", "'some' is not one of"), ("leaf-bits=x", "not a number"),
     ("leaf-bits=7", "allowed 1 to 6"), ("depth=3", "no option 'depth'"), ("", "no option ''")],
)  # fmt: skip
def test_options_of_the_importer_are_checked(read, words):
    with pytest.raises(UsageError) as caught:
        nnlogic.load(DATA / "hinge.json", read=read or {"": ""})
    assert words in caught.value.text()


def test_a_best_round_that_is_not_there(tmp_path):
    def change(learner):
        learner["attributes"] = {"best_iteration": "5"}

    path = changed(tmp_path, "hinge", change)
    with pytest.raises(CheckpointError, match="best_iteration is 5 in a model of 5 rounds"):
        nnlogic.load(path)
    assert nnlogic.load(path, read={"rounds": "all", "leaf-bits": "6"}).info["leaf_bits"] == 6


def test_old_files_say_less(tmp_path):
    """Without indices of rounds and counts of targets, as versions before 2 wrote."""

    def change(learner):
        model = learner["gradient_booster"]["model"]
        del model["iteration_indptr"], learner["learner_model_param"]["num_target"]
        learner["feature_names"] = []

    for name in ("forest_stop", "forest_multi"):
        path = changed(tmp_path, name, change)
        ensemble = read_xgboost(path)
        assert ensemble.rounds == read_xgboost(DATA / f"{name}.json").rounds
        np.testing.assert_array_equal(ensemble.predict(ROWS), recorded(path)[1])


def test_rows_stand_for_their_codes():
    net = nnlogic.load(DATA / "softprob.json")
    codes = net.encode(ROWS)
    np.testing.assert_array_equal(net.encode(rows_of(net.quantizer, codes)), codes)
    classes = formats()["trees"].original(net, DATA / "softprob.json", codes)
    np.testing.assert_array_equal(classes, RECORDED["softprob.classes"])


def test_the_report_says_what_rounding_cost(tmp_path):
    rows = tmp_path / "rows.npz"
    labels = RECORDED["softprob_stop.classes"].astype(np.int64)
    labels[:500] = (labels[:500] + 1) % 3
    np.savez(rows, X=ROWS, y=labels)
    source = shutil.copy(DATA / "softprob_stop.ubj", tmp_path / "odd name")
    run = nnlogic.compile(source, tmp_path / "run", rows=rows, stop_after="quant", jobs=1)
    used, held = RECORDED["softprob_stop.rounds"]
    assert f"{used} of {held}" in run.report.source.format
    before, after = run.report.accuracy[:2]
    assert (before.stage, before.n, before.percent) == ("float", 2000, 75.0)
    net = nnlogic.load(source)
    found = net.evaluate(net.encode(ROWS))[:, -1]
    differ = int((found != RECORDED["softprob_stop.classes"]).sum())
    assert differ
    assert f"{differ} of 2000 rows" in after.detail
    assert after.percent == round(100 * (found == labels).mean(), 3)
    none = nnlogic.compile(
        source, tmp_path / "none", stop_after="quant", jobs=1, read="rounds=all,leaf-bits=6"
    )
    assert none.report.config["read"] == "rounds=all,leaf-bits=6"
    assert "also those after" in none.report.source.format
    assert re.search(r" of 4096 rows .* random codes", none.report.accuracy[1].detail)
    assert none.report.accuracy[1].percent is None
