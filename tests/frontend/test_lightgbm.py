"""Models of LightGBM: scores and classes are the library's own, which were recorded."""

from pathlib import Path

import numpy as np
import pytest

import nnlogic
from nnlogic.checks.inputs import first_rung
from nnlogic.checks.inputs.lightgbm import check_lightgbm
from nnlogic.core.errors import CheckpointError, NNLogicError, UnsupportedModel
from nnlogic.frontend.lightgbm import read
from nnlogic.frontend.lightgbm.read import read_lightgbm
from nnlogic.frontend.trees.ensemble import quantize_leaves

DATA = Path(__file__).parent / "data" / "lightgbm"
READ = (
    "binary", "sigmoid", "multi", "ova", "forest", "forest_multi", "missing", "zeros",
    "no_missing", "stop", "stumps",
)  # fmt: skip


@pytest.fixture(scope="module")
def recorded():
    with np.load(DATA / "predictions.npz") as file:
        return dict(file)


@pytest.mark.parametrize("name", READ)
def test_scores_and_classes_are_the_library_s(recorded, name):
    path, rows = DATA / f"{name}.txt", recorded["rows"]
    ensemble = read_lightgbm(path)
    scores = ensemble.scores(rows)
    np.testing.assert_array_equal(scores, recorded[f"{name}.scores"].reshape(scores.shape))
    np.testing.assert_array_equal(ensemble.predict(rows), recorded[f"{name}.classes"])
    assert len(ensemble.trees) == recorded[f"{name}.rounds"]
    net = nnlogic.load(path, read="leaf-bits=5")
    assert net.info["format"] == "LightGBM text model"
    out = net.evaluate(net.encode(rows))
    sums = quantize_leaves(ensemble, 5).scores(ensemble, rows)
    classes = sums[:, 0] > 0 if sums.shape[1] == 1 else sums.argmax(axis=1)
    np.testing.assert_array_equal(out[:, -1], classes)
    verdict = first_rung(net).check(net, path, 60)()
    assert (verdict.equal, verdict.how) == (True, "sampled n=4096")


def test_zeros_that_count_as_missing_are_among_the_rows(recorded):
    """A split sends the small band around zero in its default direction."""
    kinds = set((DATA / "zeros.txt").read_text().partition("decision_type=")[2].split("\n")[0])
    assert kinds - {" "} == {"4", "6"}
    assert (np.abs(recorded["rows"][:, 4]) <= np.float32(1e-35)).sum() > 100


@pytest.mark.parametrize("kind", [4, 6])
@pytest.mark.parametrize("threshold", [-0.5, -1e-35, 0.0, 1.0000000180025095e-35, 0.5])
def test_every_order_of_zeros_and_threshold(tmp_path, kind, threshold):
    text = one_split(threshold, kind)
    path = tmp_path / "m.txt"
    path.write_text(text)
    band = np.float32(1e-35)
    rows = np.array(
        [-1, -0.5, -0.4, np.nextafter(-band, np.float32(-1)), -band, 0, band,
         np.nextafter(band, np.float32(1)), 0.5, 0.6], np.float32,
    )[:, None]  # fmt: skip
    left = np.where(np.abs(rows) <= band, kind == 6, rows.astype(np.float64) <= threshold)
    expected = np.where(left, -1.0, 2.0)
    np.testing.assert_array_equal(read_lightgbm(path).scores(rows), expected)


def one_split(threshold, kind, more=""):
    return (
        "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\n"
        "max_feature_idx=0\nobjective=binary sigmoid:1\nfeature_names=x\ntree_sizes=1\n\n"
        f"Tree=0\nnum_leaves=2\nnum_cat=0\nsplit_feature=0\nthreshold={threshold!r}\n"
        f"decision_type={kind}\nleft_child=-1\nright_child=-2\nleaf_value=-1 2\n{more}"
        "is_linear=0\nshrinkage=1\n\n\nend of trees\n"
    )


def test_thresholds_that_nothing_passes(tmp_path):
    """Where missing values have a side of their own, all numbers go left."""
    path = tmp_path / "m.txt"
    path.write_text(one_split(1.7976931348623157e308, 8))
    scores = read_lightgbm(path).scores(np.array([[-1e38], [3e38]], np.float32))
    assert scores.tolist() == [[-1.0], [-1.0]]


def test_thresholds_between_float32_numbers(tmp_path):
    """Compared in float64: a float32 row is not rounded to the threshold."""
    path = tmp_path / "m.txt"
    for near in (0.1, 0.3, 1 / 3):
        path.write_text(one_split(near, 2))
        x = np.float32(near)
        rows = np.array([np.nextafter(x, np.float32(0)), x, np.nextafter(x, np.float32(1))])
        expected = np.where(rows.astype(np.float64) <= near, -1.0, 2.0)
        np.testing.assert_array_equal(read_lightgbm(path).scores(rows[:, None])[:, 0], expected)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("regression", "is no classifier"),
        ("ranking", "is no classifier"),
        ("categories", "splits on categories"),
        ("linear", "linear models"),
        ("ova_sigmoid", "which probabilities are equal"),
    ],
)
def test_other_models_are_refused(name, words):
    with pytest.raises(UnsupportedModel, match=words):
        nnlogic.load(DATA / f"{name}.txt")


def test_a_changed_file_is_found(tmp_path):
    path = tmp_path / "m.txt"
    text = (DATA / "multi.txt").read_text()
    path.write_text(text)
    net = nnlogic.load(path)
    assert check_lightgbm(net, path).equal
    first = text.partition("\nthreshold=")[2].split()[0]
    path.write_text(text.replace(f"\nthreshold={first}", f"\nthreshold={float(first) + 0.3}", 1))
    assert not check_lightgbm(net, path).equal
    leaf = text.partition("\nleaf_value=")[2].split()[0]
    path.write_text(text.replace(f"\nleaf_value={leaf}", f"\nleaf_value={float(leaf) + 1}", 1))
    assert not check_lightgbm(net, path).equal


def test_compiles(tmp_path):
    path = DATA / "binary.txt"
    run = nnlogic.compile(path, tmp_path / "run", effort="fast", stop_after="logic", jobs=1)
    assert run.report.source.format == "LightGBM text model"
    assert not run.report.failed


BROKEN = {
    "cut": lambda t: t[: len(t) // 2],
    "cut in a tree": lambda t: t.partition("right_child")[0] + "\nend of trees\n",
    "version": lambda t: t.replace("version=v4", "version=v9"),
    "no version": lambda t: t.replace("version=v4", "version="),
    "extra tree": lambda t: t.replace("tree_sizes=", "tree_sizes=7 "),
    "missing tree": lambda t: t.replace("Tree=1", "Tree=2"),
    "twice": lambda t: t.replace("num_cat=0", "num_cat=0\nnum_cat=0", 1),
    "features": lambda t: t.replace("max_feature_idx=4", "max_feature_idx=9"),
    "many features": lambda t: t.replace("max_feature_idx=4", "max_feature_idx=99999999"),
    "classes": lambda t: t.replace("num_class=3", "num_class=5"),
    "rounds": lambda t: t.replace("iteration=3", "iteration=0"),
    "feature": lambda t: t.replace("split_feature=", "split_feature=77", 1),
    "text": lambda t: t.replace("threshold=", "threshold=one ", 1),
    "nan": lambda t: t.replace("leaf_value=", "leaf_value=nan ", 1),
    "circle": lambda t: t.replace("left_child=1", "left_child=0", 1),
    "child": lambda t: t.replace("left_child=1", "left_child=99", 1),
    "far child": lambda t: t.replace("left_child=1", "left_child=-99999999999999", 1),
    "kind": lambda t: t.replace("decision_type=2", "decision_type=3", 1),
    "leaves": lambda t: t.replace("num_leaves=6", "num_leaves=7", 1),
    "no objective": lambda t: t.replace("objective=multiclass num_class:3", ""),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_wrong_is_named(tmp_path, name):
    text = (DATA / "multi.txt").read_text()
    path = tmp_path / "m.txt"
    path.write_text(BROKEN[name](text))
    assert path.read_text() != text
    with pytest.raises(NNLogicError) as caught:
        nnlogic.load(path)
    assert str(path) in caught.value.text()
    assert caught.value.exit_code == 3


def test_bytes_that_are_no_text(tmp_path):
    path = tmp_path / "m.txt"
    path.write_bytes(b"tree\nversion=v4\n\xff\xfe")
    with pytest.raises(CheckpointError, match="damaged"):
        nnlogic.load(path)


def test_splits_around_zero_do_not_unfold_without_end(monkeypatch):
    monkeypatch.setattr(read, "UNFOLDED", 8)
    with pytest.raises(UnsupportedModel, match="zero_as_missing=False"):
        nnlogic.load(DATA / "zeros.txt")
