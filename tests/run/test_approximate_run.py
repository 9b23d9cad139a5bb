"""Approximate mode through the Python interface: budget, honesty, determinism."""

import re

import numpy as np
import pytest

import nnlogic
from nnlogic.approximate.rows import split_rows
from nnlogic.checks.agreement import measure
from nnlogic.core.archive import frozen
from nnlogic.core.errors import Different, InputError, TooWide, UsageError
from nnlogic.core.formats import IntFormat, Port
from nnlogic.job.rows import read_saved
from nnlogic.quant.ir import INPUT, Argmax, InputQuantizer, Linear, QuantNet
from nnlogic.report.html import render_html
from nnlogic.run import compile as compile_run
from nnlogic.run import open_run
from nnlogic.tables.ir import TableNet, Threshold


def rows_file(net, path, n=1500, seed=1, labels=True):
    """Rows on a few centres: most table entries are never used."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(5).normal(size=(9, len(net.inputs)))
    x = centres[rng.integers(0, 9, n)] + 0.4 * rng.normal(size=(n, len(net.inputs)))
    y = net.evaluate(net.encode(x.astype(np.float32)))[:, -1]
    noisy = rng.random(n) < 0.2
    y[noisy] = rng.integers(0, 3, noisy.sum())
    np.savez(path, X=x.astype(np.float32), **({"y": y} if labels else {}))
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory, make_net):
    folder = tmp_path_factory.mktemp("net")
    net = make_net(6, widths=(8, 6, 3), fan_in=4)
    net.save(folder / "toy.safetensors")
    rows_file(net, folder / "rows.npz")
    rows_file(net, folder / "held.npz", seed=2)
    rows_file(net, folder / "bare.npz", labels=False)
    return folder


def approximate(folder, out, **options):
    options = {"rows": folder / "rows.npz", "effort": "fast", "jobs": 1} | options
    return compile_run(folder / "toy.safetensors", out, mode="approximate", **options)


@pytest.fixture(scope="module")
def run(folder, tmp_path_factory):
    return approximate(folder, tmp_path_factory.mktemp("out") / "run", accuracy_budget=3.0)


def test_it_saves_luts_and_says_what_it_cost(run, folder):
    what = run.report.approximation
    total = what.layers[-1]
    assert total.luts < total.luts_exact
    assert 0 < total.freed < total.entries
    assert (what.budget, what.held, what.measure) == (3.0, True, "accuracy")
    net = QuantNet.load(run.ir_path("quant"))
    tables = TableNet.load(run.ir_path("tables"))
    split = split_rows(net, folder / "rows.npz")
    assert [row.n for row in what.rows] == [500, 500, 500]
    for (name, part), row in zip(split.parts(), what.rows, strict=True):
        found = measure(net, tables, part.codes, part.labels)
        assert row.part == name
        assert row.agreement == round(found.same, 3)
        assert row.exact - row.approximate <= 3.0 + 3.0 * (name == "test")
    assert "not equal to the trained network" in render_html(run.report)


def test_only_the_tables_are_approximate(run):
    ladder = {rung.number: rung for rung in run.report.ladder}
    assert ladder[2].title == "QuantNet ~ TableNet, approximate"
    exact, budget = ladder[2].checks
    assert (exact.verdict, exact.how) == ("pass", "exhaustive")
    assert (budget.verdict, budget.how) == ("pass", "sampled n=500")
    assert ladder[3].how == "proved"
    assert [ladder[n].verdict for n in (2, 3, 4)] == ["pass"] * 3
    tables = TableNet.load(run.ir_path("tables"))
    assert all(f.care is None for f in tables.functions)
    by_stage = {row.stage: row for row in run.report.accuracy}
    assert by_stage["tables"].n == 500


def test_simulators_replay_the_approximate_tables(run):
    rows, expected = read_saved(run.path / "sim" / "rows.npz")
    assert np.array_equal(TableNet.load(run.ir_path("tables")).evaluate(rows.codes), expected)
    exact = QuantNet.load(run.ir_path("quant")).evaluate(rows.codes)
    assert not np.array_equal(exact, expected)


def test_same_rows_same_result(run, folder, tmp_path):
    again = approximate(folder, tmp_path / "r", accuracy_budget=3.0)
    for stage in ("tables", "logic"):
        texts = [(r.path / "ir" / f"{stage}.txt").read_text() for r in (run, again)]
        assert texts[0] == texts[1]


def test_a_smaller_budget_binds(run, folder, tmp_path):
    strict = approximate(folder, tmp_path / "r", accuracy_budget=0.0, stop_after="logic")
    what, loose = strict.report.approximation, run.report.approximation
    assert what.layers[-1].freed < loose.layers[-1].freed
    assert what.rows[1].lost == 0.0


def test_rarity_bounds_what_is_freed(folder, tmp_path):
    one = approximate(folder, tmp_path / "r", accuracy_budget=3.0, rarity=1, stop_after="logic")
    what = one.report.approximation
    assert what.rarity == 1
    assert what.rows[0].lost == 0.0, "rows observed keep their entries"


def test_without_labels_the_budget_is_on_agreement(folder, tmp_path):
    run = approximate(folder, tmp_path / "r", rows=folder / "bare.npz", stop_after="tables")
    what = run.report.approximation
    assert what.measure == "agreement"
    assert what.rows[1].agreement >= 99.9
    assert what.rows[1].exact is None


def test_held_out_files(folder, tmp_path):
    options = {"validation_rows": folder / "held.npz", "stop_after": "tables"}
    two = approximate(folder, tmp_path / "a", **options).report.approximation
    assert [row.n for row in two.rows] == [1500, 750, 750]
    options |= {"test_rows": folder / "bare.npz"}
    three = approximate(folder, tmp_path / "b", **options).report.approximation
    assert [row.n for row in three.rows] == [1500, 1500, 1500]
    assert three.rows[2].exact is None


def test_a_search_that_ignores_validation_is_caught(folder, tmp_path, monkeypatch):
    import nnlogic.tables.approximate.loss as loss

    monkeypatch.setattr(loss.Yardstick, "loss", lambda self, right: 0.0)
    with pytest.raises(Different, match="within the budget"):
        approximate(folder, tmp_path / "r", accuracy_budget=0.0)
    assert open_run(tmp_path / "r").status == "failed"


def test_go_on_from_an_approximate_run(run, tmp_path):
    options = {"mode": "approximate", "start_from": "logic", "effort": "fast", "jobs": 1}
    again = compile_run(run.path, tmp_path / "r", **options)
    assert again.report.approximation.rows == run.report.approximation.rows
    assert again.report.rung(2) == run.report.rung(2)
    with pytest.raises(UsageError, match="approximate mode"):
        compile_run(run.path, tmp_path / "s", start_from="logic", mode="exact")


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"rows": None}, UsageError, "--rows"),
        ({"rarity": 0}, UsageError, "at least 1"),
        ({"accuracy_budget": -1.0}, UsageError, "at least 0"),
        ({"mode": "exact", "rarity": 3}, UsageError, "only approximate mode"),
    ],
)
def test_bad_options_write_nothing(folder, tmp_path, options, error, text):
    options = {"mode": "approximate", "rows": folder / "rows.npz"} | options
    with pytest.raises(error, match=text):
        compile_run(folder / "toy.safetensors", tmp_path / "r", **options)
    assert not list(tmp_path.iterdir())


def test_too_few_rows(folder, tmp_path):
    with np.load(folder / "rows.npz") as data:
        np.savez(tmp_path / "few.npz", X=data["X"][:200], y=data["y"][:200])
    with pytest.raises(InputError, match="at least 100") as caught:
        approximate(folder, tmp_path / "r", rows=tmp_path / "few.npz")
    assert len([p for p in caught.value.problems if p.where]) == 3
    assert not (tmp_path / "r").exists()


def wide_net():
    """One layer of six neurons over 24 bits, then scores and argmax."""
    rng = np.random.default_rng(3)
    bit = IntFormat(1)
    hidden = Linear(
        "fc1", (INPUT,),
        frozen(rng.integers(-15, 16, (6, 24)), np.int64), frozen(np.zeros(6), np.int64),
        frozen(rng.integers(-6, 7, (6, 1)), np.int64), (bit,) * 6,
    )  # fmt: skip
    scores = Linear(
        "fc2", ("fc1",),
        frozen(rng.integers(-9, 10, (3, 6)), np.int64), frozen(np.zeros(3), np.int64),
        frozen(np.tile([-4, 0, 4], (3, 1)), np.int64), (IntFormat(2),) * 3,
    )  # fmt: skip
    winner = IntFormat(2)
    return QuantNet(
        "wide",
        tuple(Port(f"f{i}", bit) for i in range(24)),
        (hidden, scores, Argmax("argmax", ("fc2",), (winner,))),
        ((Port("class", winner), "argmax", 0),),
        InputQuantizer((frozen([0.0], np.float32),) * 24),
        {"class_names": ["a", "b", "c"]},
    )


def test_neurons_known_only_by_samples(tmp_path):
    net = wide_net()
    net.verify()
    net.save(tmp_path / "wide.safetensors")
    rows_file(net, tmp_path / "rows.npz", 2400)
    options = {
        "mode": "approximate", "rows": tmp_path / "rows.npz", "effort": "fast", "jobs": 1,
    }  # fmt: skip
    source = tmp_path / "wide.safetensors"
    run = compile_run(source, tmp_path / "r", accuracy_budget=30.0, **options)
    what = run.report.approximation
    assert what.layers[0].sampled == 6
    assert what.held
    tables = TableNet.load(run.ir_path("tables"))
    assert not any(isinstance(b, Threshold) for b in tables.blocks)
    assert run.report.rung(3).how == "proved"
    with pytest.raises(TooWide, match="--arith auto"):
        compile_run(source, tmp_path / "s", accuracy_budget=0.0, **options)
    options |= {"arith": "auto", "stop_after": "tables"}
    mixed = compile_run(source, tmp_path / "t", accuracy_budget=2.0, **options)
    assert mixed.report.approximation.held
    assert mixed.report.approximation.layers[0].sampled < 6
    assert any(isinstance(b, Threshold) for b in TableNet.load(mixed.ir_path("tables")).blocks)


def test_sums_without_their_lowest_columns_within_the_budget(tmp_path, monkeypatch):
    for other in ("sampled_options", "shorter_options"):
        monkeypatch.setattr(f"nnlogic.approximate.tables.{other}", lambda *asked: iter(()))
    net = wide_net()
    net.save(tmp_path / "wide.safetensors")
    rows_file(net, tmp_path / "rows.npz", 2400)
    options = {
        "mode": "approximate", "rows": tmp_path / "rows.npz", "effort": "fast", "jobs": 1,
        "arith": "auto", "cut_columns": 3, "accuracy_budget": 20.0, "stop_after": "tables",
    }  # fmt: skip
    run = compile_run(tmp_path / "wide.safetensors", tmp_path / "r", **options)
    assert run.report.approximation.held
    assert run.report.approximation.layers[0].sampled == 0
    (said,) = [c.detail for c in run.report.rung(2).checks if "within the budget" in c.title]
    found = re.search(r"(\d) sums without their lowest columns, wrong by (-\d+) to (\d+)", said)
    assert found, said
    assert 1 <= int(found[1]) <= 6
    exact = nnlogic.tabulate(net, arith="auto")
    left = TableNet.load(run.ir_path("tables"))
    wide = [b for b in left.blocks if isinstance(b, Threshold)]
    assert len(wide) == 6
    assert wide != [b for b in exact.blocks if isinstance(b, Threshold)]
