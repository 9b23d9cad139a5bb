"""Logic as estimators of scikit-learn: their contract, pickles, pipelines, Verilog."""

import pickle

import numpy as np
import pytest
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import nnlogic
from nnlogic.sklearn import LogicClassifier, LogicRegressor

TINY = LogicClassifier(luts=100, steps=60, candidates=1, random_state=0)


def blobs(rows=240, seed=0):
    generator = np.random.default_rng(seed)
    y = generator.integers(0, 3, rows)
    x = generator.normal(size=(rows, 4)) + 3.0 * np.eye(4)[y]
    return x, np.array(["low", "mid", "top"])[y]


TINY_NUMBERS = LogicRegressor(luts=150, steps=120, candidates=1, random_state=0)


@parametrize_with_checks([TINY, TINY_NUMBERS])
def test_contract(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def fitted():
    return LogicClassifier(luts=90, steps=300, random_state=1).fit(*blobs())


def test_learns_and_says_what_it_takes(fitted):
    assert fitted.score(*blobs(seed=1)) > 0.75
    report = fitted.report_
    assert report["met"] == (report["luts"] <= 90)
    assert report["luts"] in [c["luts"] for c in report["candidates"]]


def test_a_pickle_is_the_checkpoint_and_predicts_the_same(fitted, tmp_path):
    x, _ = blobs(seed=2)
    back = pickle.loads(pickle.dumps(fitted))
    assert "_net" not in fitted.__getstate__()
    assert (back.predict(x) == fitted.predict(x)).all()
    back.save(tmp_path / "net.safetensors")
    net = nnlogic.load(tmp_path / "net.safetensors")
    codes = net.evaluate(net.encode(x.astype(np.float32)))[:, -1]
    assert (fitted.classes_[codes] == fitted.predict(x)).all()
    assert net.info["dataset"]["name"] == "classifier"


def test_verilog_is_proved(fitted, tmp_path):
    run = fitted.to_verilog(tmp_path / "run", effort="fast", jobs=1)
    assert not run.report.failed
    assert list((tmp_path / "run" / "rtl").glob("*.v"))


def test_in_a_pipeline():
    model = make_pipeline(
        StandardScaler(), LogicClassifier(luts=90, steps=60, candidates=1, random_state=0)
    )
    assert cross_val_score(model, *blobs(), cv=2).mean() > 0.5


def curve(rows=600, seed=0, outputs=1):
    generator = np.random.default_rng(seed)
    x = generator.uniform(-1, 1, (rows, 3))
    y = np.stack([1e4 + 1e3 * np.abs(x[:, 0]) + 500 * x[:, 1], 1e-3 * x[:, 2]], axis=1)
    return x, y[:, 0] if outputs == 1 else y


@pytest.fixture(scope="module")
def numbers():
    return LogicRegressor(luts=120, steps=400, candidates=1, random_state=1).fit(*curve())


def test_a_regressor_learns_and_is_its_checkpoint(numbers, tmp_path):
    x, y = curve(seed=2)
    assert numbers.score(x, y) > 0.7
    assert numbers.report_["validation"] > 0.6
    back = pickle.loads(pickle.dumps(numbers))
    assert (back.predict(x) == numbers.predict(x)).all()
    back.save(tmp_path / "net.safetensors")
    net = nnlogic.load(tmp_path / "net.safetensors")
    (quantity,) = numbers.quantities_
    codes = net.evaluate(net.encode(x.astype(np.float32)))[:, 0]
    assert ((codes + quantity.offset) * 2.0**quantity.exponent == numbers.predict(x)).all()
    assert net.info["dataset"]["name"] == "regressor"
    run = numbers.to_verilog(tmp_path / "run", effort="fast", jobs=1)
    assert not run.report.failed


def test_several_quantities_and_a_quantile():
    model = LogicRegressor(luts=150, steps=300, candidates=1, random_state=1)
    x, y = curve(outputs=2)
    assert model.fit(x, y).predict(x).shape == y.shape
    assert model.score(x, y) > 0.4
    high = LogicRegressor(
        luts=120, steps=400, candidates=1, loss="quantile", quantile=0.95, random_state=1
    )
    x, y = curve()
    y = y + np.random.default_rng(1).exponential(500, len(y))
    assert 0.8 < np.mean(y <= high.fit(x, y).predict(x)) < 1
    with pytest.raises(ValueError, match="cubic"):
        LogicRegressor(loss="cubic").fit(x, y)
