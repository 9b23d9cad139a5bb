"""A table becomes a network within a budget, compiled and proved."""

import json

import numpy as np
import pytest

import nnlogic as package
from nnlogic.core.errors import UsageError
from nnlogic.data.own import Choices, load_own
from nnlogic.run import open_run
from nnlogic.run.own_data import fit_table
from nnlogic.train import train
from nnlogic.train.budget import Pace


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("own") / "mine.csv"
    generator = np.random.default_rng(0)
    rows = generator.integers(0, 16, (300, 3))
    kinds = np.where(rows[:, 0] > rows[:, 2], "warm", "cold")
    lines = [",".join([*map(str, row), kind]) for row, kind in zip(rows, kinds, strict=True)]
    path.write_text("\n".join(["t,u,v,kind", *lines]) + "\n")
    return path


@pytest.fixture(scope="module")
def fitted(table):
    data = load_own(table, Choices("kind"))
    source = {"dataset": str(table), "label": "kind"}
    out = table.parent / "out"
    return fit_table(data, source, out, luts=120, pace=Pace(steps=60), jobs=1)


def test_the_run_is_proved_and_within_what_is_said(fitted):
    run = open_run(fitted.run)
    assert not run.report.failed
    assert run.report.funnel_total.luts == fitted.luts
    assert list((fitted.run / "rtl").glob("*.v"))
    assert fitted.accuracy["test"] > 0.7
    assert sum(c.chosen for c in fitted.candidates) == 1


def test_the_best_within_the_budget_is_chosen(fitted):
    inside = [c for c in fitted.candidates if c.luts <= fitted.budget]
    chosen = next(c for c in fitted.candidates if c.chosen)
    assert chosen in inside
    assert chosen.validation == max(c.validation for c in inside)


def test_test_figures_are_those_of_the_rows_beside_it(fitted):
    net = package.load(fitted.checkpoint)
    file = np.load(fitted.run.parent / "test.npz")
    right = net.evaluate(net.encode(file["X"]))[:, -1] == file["y"]
    assert right.mean() == fitted.accuracy["test"]


def test_the_recipe_gives_the_network_again(fitted):
    again = train(fitted.recipe, out=fitted.run.parent / "again", device="cpu")
    first, second = package.load(fitted.checkpoint), package.load(again.checkpoint)
    codes = np.random.default_rng(1).integers(0, 16, (500, 3))
    assert (first.evaluate(codes) == second.evaluate(codes)).all()


def test_candidates_are_plotted(fitted):
    text = fitted.plot.read_text()
    assert all(str(c.luts) in text for c in fitted.candidates)
    assert len(json.loads((fitted.run.parent / "candidates.json").read_text())) == len(
        fitted.candidates
    )


def test_a_used_folder_is_refused(fitted, table):
    with pytest.raises(UsageError, match="not empty"):
        fit_table(load_own(table, Choices("kind")), {}, fitted.run.parent, luts=10)


def test_quantities_become_a_proved_network_whose_errors_are_those_of_the_test_rows(tmp_path):
    generator = np.random.default_rng(0)
    x = generator.integers(0, 16, (400, 3))
    y = np.stack([100.0 * x[:, 0] + 30 * x[:, 1], x[:, 2] / 64], axis=1)
    path = tmp_path / "mine.csv"
    lines = [",".join(map(str, [*a, *b])) for a, b in zip(x.tolist(), y.tolist(), strict=True)]
    path.write_text("\n".join(["t,u,v,far,near", *lines]) + "\n")
    choices = Choices(quantities=True, targets=("far", "near"))
    source = {"dataset": str(path), "targets": ("far", "near")}
    out = tmp_path / "out"
    fitted = fit_table(load_own(path, choices), source, out, luts=150, pace=Pace(steps=200), jobs=1)
    run = open_run(fitted.run)
    assert not run.report.failed
    assert run.report.funnel_total.luts == fitted.luts
    rows = np.loadtxt(out / "test.csv", delimiter=",", skiprows=1)
    net = package.load(fitted.checkpoint)
    off = net.decode(net.evaluate(net.encode(rows[:, :3]))) - rows[:, 3:]
    for i, name in enumerate(("far", "near")):
        rmse = np.sqrt(np.mean(off[:, i] ** 2))
        assert fitted.error["test"][name]["rmse"] == pytest.approx(rmse)
        assert rmse < 0.7 * fitted.error["always the mean"][name]["rmse"]
        (row,) = [r for r in run.report.errors if (r.stage, r.quantity) == ("tables", name)]
        assert row.rmse == pytest.approx(rmse)
    assert fitted.accuracy["test"] == pytest.approx(
        1 - np.mean((off**2).mean(0) / rows[:, 3:].var(0))
    )
    again = train(fitted.recipe, out=tmp_path / "again", device="cpu")
    assert again.error["table"] == fitted.error["test"]
