"""The search: repeatable, resumable, shared by workers, and honest about what it found."""

import dataclasses
import itertools
import re
from types import SimpleNamespace

import numpy as np
import pytest

from nnlogic.core.errors import TargetMissed, UsageError
from nnlogic.data import dataset as datasets
from nnlogic.model.layer import LayerSpec, plain_layer
from nnlogic.train import Recipe, load_recipe, recipe_names
from nnlogic.train.recipe_file import recipe_text
from nnlogic.train.search import search
from nnlogic.train.search_options import Designed, SearchOptions
from nnlogic.train.search_sampler import joined, log_density, split_by_clusters
from nnlogic.train.search_space import search_space
from nnlogic.train.search_study import front

RECIPE = Recipe(
    name="toy",
    dataset="toy",
    layers=(
        plain_layer("fc1", 6, 2, "pact", 2, 4),
        plain_layer("fc2", 3, 3, "signed_uniform", 3, 4),
    ),
    epochs=2,
    batch=64,
    float_epochs=0,
    prune_from=0.0,
)
SPACE = search_space(RECIPE, bits=(1, 2, 3), fan_in=(2, 3), width=(0.5, 1.0, 2.0))


def toy_sources():
    """All data sets, and the one of RECIPE."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(500, 5))
    y = (x[:, 0] + x[:, 1] > 0).astype(int) + (x[:, 2] > 0.5)
    names = tuple("abcde"), ("none", "one", "both")
    raw = datasets.Raw(x[:400], y[:400], x[400:], y[400:], *names, "made up")
    return {**datasets._sources(), "toy": lambda data_dir: raw}


@pytest.fixture(autouse=True)
def toy(monkeypatch):
    sources = toy_sources()
    monkeypatch.setattr(datasets, "_sources", lambda: sources)


class Luts:
    """Stands in for the compiler; stops the search after some calls."""

    def __init__(self, stop_after=10**6):
        self.calls, self.stop_after = 0, stop_after

    def __call__(self, net):
        if self.calls == self.stop_after:
            raise KeyboardInterrupt
        self.calls += 1
        return sum(int((layer.weights != 0).sum()) for layer in net.layers[:2])


def run(out, luts=None, **change):
    options = SearchOptions(**{"trials": 12, "epochs": 1, **change.pop("options", {})})
    return search(RECIPE, out=out, luts=luts or Luts(), space=SPACE, options=options, **change)


def told(result):
    return [(f.validation, f.luts, f.params) for f in (*result.front, result.base)]


def told_front(result):
    return [(f.validation, f.luts, f.params, f.design) for f in result.front]


def test_a_search_repeats_itself_and_an_interrupted_one_goes_on_the_same_way(tmp_path):
    whole = run(tmp_path / "a")
    assert whole.trials == 12
    # Stopped while preparing, while trying the seeds, and while proposing.
    for stop in (0, 3, 7):
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path / "c", Luts(stop), resume=True)
    resumed = run(tmp_path / "c", resume=True)
    assert told(resumed) == told(whole)
    assert not list(tmp_path.rglob("state.pt"))


def test_what_it_found_is_a_front_with_recipes_and_checkpoints(tmp_path):
    import nnlogic

    result = run(tmp_path, options={"budget": 25.0})
    luts = [f.luts for f in result.front]
    accuracy = [f.validation for f in result.front]
    assert luts == sorted(set(luts))
    assert accuracy == sorted(set(accuracy))
    assert result.base.params == SPACE.base_params()
    assert result.within_budget.luts <= 25
    for found in result.front:
        net = nnlogic.load(found.checkpoint)
        assert Luts()(net) == found.luts
        recipe = load_recipe(result.recipes / f"toy_{found.trial}.toml")
        assert recipe == SPACE.recipe(found.params, f"toy_{found.trial}")
        assert recipe.epochs == RECIPE.epochs


def test_workers_share_a_journal(tmp_path):
    storage = str(tmp_path / "shared.log")
    with pytest.raises(UsageError, match="start worker 0"):
        run(tmp_path / "b", storage=storage, options={"worker": 1})
    first = run(tmp_path / "a", storage=storage, resume=True, options={"trials": 8})
    second = run(tmp_path / "b", storage=storage, resume=True, options={"worker": 1, "trials": 12})
    assert (first.trials, second.trials) == (8, 12)
    assert {f.checkpoint.parts[-4] for f in second.front} <= {"a", "b"}


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_other_samplers(tmp_path, sampler):
    options = {"sampler": sampler, "sensitivity": "none", "trials": 3}
    assert told(run(tmp_path / "a", options=options)) == told(run(tmp_path / "b", options=options))


def test_integer_programming_alone_tries_its_allocations_and_stops(tmp_path):
    result = run(tmp_path, options={"sampler": "ilp", "trials": 40})
    assert 2 < result.trials < 40
    widths = {f.params["fc1.width"] for f in result.front}
    assert widths == {RECIPE.layers[0].width}
    whole = run(tmp_path, options={"sampler": "ilp", "trials": 40}, resume=True)
    assert told(whole) == told(result)


def test_predicted_luts_choose_and_only_the_front_is_compiled(tmp_path):
    luts, predicted = Luts(), Luts()
    options = {"luts": "predicted", "sensitivity": "none", "budget": 25.0}
    result = run(tmp_path, luts, predict=lambda net: predicted(net) * 1.3, options=options)
    assert predicted.calls == result.trials == 12
    assert 0 < luts.calls < 12
    import nnlogic

    assert all(Luts()(nnlogic.load(f.checkpoint)) == f.luts for f in result.front)
    assert result.within_budget is None or result.within_budget.luts <= 25
    with pytest.raises(UsageError, match="another search"):
        run(tmp_path, resume=True, options={**options, "luts": "compiled"})


def test_depth_drops_layers_and_repeats_them():
    recipe = Recipe("r", "toy", (
        plain_layer("enc", 6, 1, "pact", 2, role="encoder"),
        plain_layer("a", 8, 2, "pact", 2), plain_layer("b", 4, 3, "pact", 1),
        plain_layer("score", 3, 2, "signed_uniform", 3),
    ))  # fmt: skip
    space = search_space(recipe, depth=(1, 4), width=(1.0, 2.0))
    assert space.choices["depth"] == (1, 2, 4)
    assert space.base_params()["depth"] == 2
    names = {d: [s.name for s in space.recipe({"depth": d}).layers] for d in (1, 2, 4)}
    assert names == {
        1: ["enc", "a", "score"],
        2: ["enc", "a", "b", "score"],
        4: ["enc", "a", "b", "b_2", "b_3", "score"],
    }
    deep = space.recipe({"depth": 4, "b.width": 8})
    assert [s.width for s in deep.layers] == [6, 8, 8, 8, 8, 3]
    # What is said of a layer that is not there makes no other network.
    point = {"depth": 1, "a.width": 16, "b.width": 8}
    assert space.canonical(point) == {**point, "b.width": 4}
    with pytest.raises(UsageError, match="depth  0, allowed 1 to 8"):
        search_space(recipe, depth=(0,))
    with pytest.raises(UsageError, match="no layer before the last"):
        search_space(Recipe("r", "toy", (plain_layer("fc", 3, 2),)), depth=(2,))


def test_designs_within_budgets_are_what_counts(tmp_path):
    def design(net):
        luts = Luts()(net)
        if luts > 20:
            raise TargetMissed("too slow")
        return Designed(luts + 1, f"mine: {luts}")

    options = {"sensitivity": "none", "max_latency": 9.0}
    result = run(tmp_path / "a", design=design, options=options)
    # Trials that miss the budgets count, and are no results; the recipe itself is one of them.
    assert result.base is None
    assert 0 < result.trials < 12
    assert result.front
    for found in result.front:
        assert found.luts <= 21
        assert found.design == f"mine: {found.luts - 1}"
        recipe = result.recipes / f"toy_{found.trial}.toml"
        assert found.design in recipe.read_text()
    again = run(tmp_path / "a", design=design, options=options, resume=True)
    assert told_front(again) == told_front(result)
    with pytest.raises(UsageError, match="another search"):
        run(tmp_path / "a", design=design, options={**options, "max_latency": 8.0}, resume=True)
    with pytest.raises(UsageError, match="'predicted' is of no device"):
        run(tmp_path / "b", design=design, options={**options, "luts": "predicted"})


def test_trials_begin_with_the_weights_of_the_largest(tmp_path):
    options = {"supernet": 2, "sensitivity": "none", "trials": 3}
    result = run(tmp_path / "a", options=options)
    assert (tmp_path / "a" / "supernet" / "toy_supernet.safetensors").exists()
    assert told(run(tmp_path / "a", options=options, resume=True)) == told(result)
    alone = run(tmp_path / "b", options={**options, "supernet": 0})
    assert result.base.validation != alone.base.validation
    other = dataclasses.replace(RECIPE, layers=(LayerSpec("fc", 3, "poly", 2),))
    with pytest.raises(UsageError, match="cannot take over weights"):
        search(other, out=tmp_path / "c", luts=Luts(), options=SearchOptions(supernet=1))


def test_errors(tmp_path):
    with pytest.raises(UsageError, match="'grid', known are cluster") as caught:
        run(tmp_path, options={"sampler": "grid", "trials": 0})
    assert re.search(r"trials +0, at least 1", str(caught.value))
    with pytest.raises(UsageError, match="'ilp' allocates by sensitivities"):
        run(tmp_path, options={"sampler": "ilp", "sensitivity": "none"})
    with pytest.raises(UsageError, match=r"needs \d+ LUT6, \d+ more than the budget of 2"):
        run(tmp_path / "poor", options={"budget": 2.0})
    run(tmp_path / "a", options={"trials": 2})
    with pytest.raises(UsageError, match="already holds this search"):
        run(tmp_path / "a")
    with pytest.raises(UsageError, match="another search"):
        run(tmp_path / "a", resume=True, options={"seed": 1})
    with pytest.raises(UsageError, match="storage of the search cannot be used"):
        run(tmp_path / "b", storage="nonsense://x")
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot write the output"):
        run(tmp_path / "file" / "x")


def test_space_problems_are_all_listed():
    with pytest.raises(UsageError) as caught:
        search_space(RECIPE, bits=(0, 9), fan_in=(0,), width=(-1.0,))
    text = str(caught.value)
    for words in ("bits    0, allowed 1 to 8", "bits    9", "fan_in  0", "factor above 0"):
        assert words in text
    everything = Recipe("all", "toy", (plain_layer("fc", 3),))
    with pytest.raises(UsageError, match="reads everything"):
        search_space(everything)


def test_points_that_cannot_be_enumerated_are_not_proposed():
    assert SPACE.fits({"fc1.fan_in": 3, "fc1.bits": 3})
    assert not SPACE.fits({"fc1.bits": 3, "fc2.fan_in": 5})


@pytest.mark.parametrize("name", recipe_names())
def test_recipes_as_text(name, tmp_path):
    recipe = load_recipe(name)
    path = tmp_path / "own.toml"
    path.write_text(recipe_text(recipe, "two\nlines"))
    assert load_recipe(path) == recipe


def test_clusters_against_brute_force():
    rng = np.random.default_rng(3)
    for _ in range(20):
        values = rng.normal(size=9).round(2)
        ordered = np.sort(values)

        def cost(cuts, ordered=ordered):
            return sum(((p - p.mean()) ** 2).sum() for p in np.split(ordered, cuts))

        least = min(itertools.combinations(range(1, 9), 2), key=cost)
        good, bad = split_by_clusters(values, 3)
        np.testing.assert_array_equal(np.sort(values[good]), ordered[: least[0]])
        np.testing.assert_array_equal(np.sort(values[bad]), ordered[least[1] :])
    assert [list(part) for part in split_by_clusters(np.array([2.0, 1.0]))] == [[1], [0]]


def test_density_is_a_distribution_that_prefers_neighbours():
    sizes = np.array([3, 4])
    points = np.array(list(itertools.product(range(3), range(4))))
    density = np.exp(log_density(points, np.array([[0, 0], [0, 1]]), sizes))
    assert density.sum() == pytest.approx(1)
    assert density[0] > density[2] > density[3] > density[-1]


def test_joined_losses_reward_both_objectives():
    losses = np.array([[0.0, 2.0], [1.0, 900.0], [0.5, 3.0]])
    for seed in range(5):
        found = joined(losses, np.random.default_rng(seed))
        assert found[0] < found[2] < found[1]


def test_front():
    trials = [
        SimpleNamespace(values=v, number=i)
        for i, v in enumerate([(0.7, 50), (0.6, 50), (0.8, 90), (0.75, 95), (0.5, 20), (0.7, 50)])
    ]
    assert [t.number for t in front(trials)] == [4, 0, 2]
