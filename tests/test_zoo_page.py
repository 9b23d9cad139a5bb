"""The zoo's page says what its rows say."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import nnlogic
from benchmarks.zoo import equal
from benchmarks.zoo.__main__ import Maker
from benchmarks.zoo.peers import plain_luts
from benchmarks.zoo.row import TOO_LARGE, Row, Settings
from benchmarks.zoo.slim import narrow, slim
from benchmarks.zoo.table import FAMILIES, OURS, PEERS, Zoo, page
from nnlogic.core.errors import CheckpointError
from nnlogic.frontend.native import read_golden
from nnlogic.quant.ir import Enumerated
from nnlogic.train import load_recipe
from nnlogic.train.recipe_file import parse_recipe

ZOO = Path(__file__).parent.parent / "zoo"
SETTINGS = Settings("normal", "network", None)


FAMILY_FILES = sorted((ZOO / "families").glob("*.safetensors"))
SMALLEST = ZOO / "jets_xs.safetensors"
PEER_FILES = sorted((ZOO / "peers").glob("*.safetensors"))
RECIPES = Path(__file__).parent.parent / "benchmarks" / "zoo" / "recipes"
FAMILIES_MEANT = "additive ensemble kan linear luts poly subnet tree"


def row(name: str, luts: int, test: float, **more) -> Row:
    by_role = {"encoder": 0, "network": luts - 1, "output": 1, "total": luts}
    return Row(name, "jets", "f", None, test, 10, by_role, 3, {"3": "proved"}, 1.0, **more)


def recipes() -> dict[str, dict]:
    """Recipes of the peers, by the name of their network."""
    found = {}
    for path in RECIPES.glob("*.toml"):
        if "recipe" in (tables := tomllib.loads(path.read_text("utf-8"))):
            kept = [parse_recipe(table, path.name) for table in tables["recipe"]]
        else:
            kept = [load_recipe(path)]
        found |= {recipe.name: recipe.to_meta() for recipe in kept}
    return found


def same(recorded: object, today: object) -> bool:
    """Compare recipes, leaving keys aside that came later."""
    if isinstance(recorded, dict):
        return all(k in today and same(v, today[k]) for k, v in recorded.items())
    if isinstance(recorded, list):
        return len(recorded) == len(today) and all(map(same, recorded, today))
    return recorded == today


def test_a_changed_recipe_is_seen():
    first = {"a": [1, {"b": 2}], "c": 3}
    assert same(first, {"a": (1, {"b": 2, "new": 0}), "c": 3, "new": 0})
    assert not same(first, {"a": [1, {"b": 4}], "c": 3})
    assert not same(first, {"a": [1], "c": 3})
    assert not same(first, {"a": [1, {"b": 2}]})


def test_every_family_has_a_point():
    assert {p.stem for p in FAMILY_FILES} == {f"jets_{f}" for f in FAMILIES_MEANT.split()}


@pytest.mark.parametrize("path", [SMALLEST, *FAMILY_FILES, *PEER_FILES], ids=lambda p: p.stem)
def test_checkpoint_gives_what_was_recorded(path):
    net = nnlogic.load(path)
    golden = read_golden(path)
    if golden is None:  # trees are grown as integers: there is no torch model
        assert net.info["family"] == "boosted trees"
        return
    assert len(golden[0]) >= 100
    assert (net.evaluate(net.encode(golden[0])) == golden[1]).all()


@pytest.mark.parametrize("path", FAMILY_FILES, ids=lambda p: p.stem)
def test_a_family_point_was_trained_with_the_recipe_of_its_name(path):
    info = nnlogic.load(path).info
    assert same(info["training"]["recipe"], load_recipe(path.stem).to_meta())


def test_a_peer_was_trained_with_a_recipe_at_hand():
    known = recipes()
    for path in PEER_FILES:
        recipe = nnlogic.load(path).info["training"].get("recipe")
        if recipe is not None:
            assert same(recipe, known[recipe["name"]])


OWN = (row("s", 100, 70.0), row("m", 200, 72.0), row("worse", 300, 71.0), row("l", 800, 74.0))


def test_front_leaves_out_what_another_beats():
    assert [r.name for r in equal.front(OWN)] == ["s", "m", "l"]


@pytest.mark.parametrize(
    ("luts", "test", "ours", "accuracy", "better", "needs", "at_most"),
    [
        (100, 69.0, "s", 70.0, False, 100.0, True),
        (400, 73.0, "m", 73.0, False, 400.0, False),
        (400, 73.1, "m", 73.0, True, 400 * 2**0.1, False),
        (90, 70.5, None, None, None, 100 * 2**0.25, False),
        (9000, 74.5, "l", 74.0, True, None, False),
    ],
)
def test_peer_at_equal_luts(luts, test, ours, accuracy, better, needs, at_most):
    found = equal.compare(row("peer", luts, test), OWN)
    assert (found.ours.name if found.ours else None) == ours
    assert found.accuracy == pytest.approx(accuracy)
    assert (found.better, found.at_most) == (better, at_most)
    assert found.luts == pytest.approx(needs)


def test_the_verdict_names_a_peer_that_is_better():
    weak, strong, small = row("weak", 400, 60.0), row("strong", 400, 73.9), row("small", 50, 65.0)
    assert equal.NONE_BETTER in equal.table([weak], OWN)
    text = equal.table([weak, strong, small, row("huge", 1600, 74.1)], OWN)
    who = "strong (by 0.90 points), huge (by 0.10 points, with 2.0 times the LUTs of our largest)"
    assert f"Better at equal LUTs: {who}." in text
    assert "not compared: small." in text


def test_page_has_every_part_and_says_what_was_not_run():
    zoo = Zoo()
    for item in OWN:
        zoo.add(OURS, item.name, replace(item, ecp5="placed", luts4=7, fmax=123.0))
    zoo.add(FAMILIES, "kin", row("kin", 500, 70.0))
    zoo.add(PEERS, "big", row("big", 400, 60.0, ecp5=TOO_LARGE, plain=450))
    zoo.add(PEERS, "gone", None)
    text = page(zoo, "notes")
    assert text.endswith("notes")
    for line in (
        "Not measured: `gone`.",
        "ecp5 columns not run: `kin`.",
        "`big`.",
        "# Families on equal terms",
        "# Retrained peers",
        "# Peers at equal LUTs",
    ):
        assert line in text
    assert "| big | f | 400 | 60.00 | m | 200 | 72.00 | 73.00 | no | ≤ 100 | ≤ 0.25 |" in text


def test_a_stored_row_holds_for_its_checkpoint_and_settings_only(tmp_path):
    path = ZOO / "families" / "jets_kan.safetensors"
    maker = Maker(path, tmp_path, SETTINGS, 1, plain=False)
    assert maker.stored() is None
    kept = row(path.stem, 9, 50.0, key=SETTINGS.key(path))
    kept.save(tmp_path / f"{path.stem}.json")
    assert maker.stored() == kept
    assert maker.row(ecp5=False) == kept
    other = replace(SETTINGS, effort="high")
    assert replace(maker, settings=other).stored() is None
    kept.save(tmp_path / "jets_tree.json")
    assert replace(maker, path=path.with_name("jets_tree.safetensors")).stored() is None


def test_large_networks_are_optimized_layer_by_layer():
    for name, optimize in (("jets_l", "network"), ("mnist_s", "none")):
        net = nnlogic.load(ZOO / f"{name}.safetensors")
        assert SETTINGS.options(net, 1)["optimize"] == optimize


def test_plain_luts_counts_tables_one_by_one():
    path = ZOO / "peers" / "nid_linear_xs.safetensors"
    found = plain_luts(row("r", 1, 1.0), path)
    net = nnlogic.load(path)
    tables = sum(len(layer.formats) for layer in net.layers)
    assert 20 < found.plain < 2 * tables


def test_plain_luts_of_other_families_counts_sums_as_the_compiler_makes_them():
    # Tables read at most six bits, so each output is one LUT; a sum mapped as a table is not.
    net = nnlogic.load(SMALLEST)
    first = sum(len(layer.formats) for layer in net.layers if isinstance(layer, Enumerated))
    assert 20 < plain_luts(row("r", 1, 1.0), SMALLEST).plain < first + 60


def test_slim_gives_the_same_network(tmp_path):
    source = ZOO / "families" / "jets_luts.safetensors"
    slim(source, tmp_path / "small.safetensors", 10)
    rows, outputs = read_golden(tmp_path / "small.safetensors")
    assert len(rows) == 10
    net = nnlogic.load(source)
    assert (net.evaluate(net.encode(rows)) == outputs).all()
    assert nnlogic.load(tmp_path / "small.safetensors").info["digest"] == net.info["digest"]


def test_slim_refuses_a_network_that_gives_other_outputs(tmp_path, monkeypatch):
    source = ZOO / "families" / "jets_luts.safetensors"
    monkeypatch.setattr("benchmarks.zoo.slim.narrow", lambda a: a * 0 if a.ndim == 1 else a)
    with pytest.raises(CheckpointError, match="not the same network"):
        slim(source, tmp_path / "small.safetensors", 10)


def test_narrow():
    assert narrow(np.array([-128, 127])).dtype == np.int8
    assert narrow(np.array([128])).dtype == np.int16
    assert narrow(np.array([1 << 40])).dtype == np.int64
    assert narrow(np.array([1.5])).dtype == np.float64


def test_rows_survive_json(tmp_path):
    kept = row("a", 5, 99.5, ecp5="placed", plain=6)
    kept.save(tmp_path / "a.json")
    assert Row.load(tmp_path / "a.json") == kept
    assert json.loads((tmp_path / "a.json").read_text())["plain"] == 6
