"""Populations: interrupted and resumed, refined at fixed bits, and what their report holds."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
import torch

import nnlogic
from nnlogic.core.errors import CheckpointError, UsageError
from nnlogic.data import dataset as datasets
from nnlogic.nn.population import SumPopulation, to_quantnet
from nnlogic.predict.estimate import estimate_luts
from nnlogic.quant.ir import Enumerated
from nnlogic.train import PopulationRecipe, train
from nnlogic.train.population import PopulationTraining
from nnlogic.train.population_rows import PopulationRows
from nnlogic.train.population_steps import PopulationSteps
from nnlogic.train.recipe_file import parse_recipe
from nnlogic.train.refine import SLACK, refine, settle
from nnlogic.train.tasks import Classification

SUMS = PopulationRecipe(
    "tiny", "toy", shape="sums", input_bits=2, hidden=2, hidden_bits=3, members=2, steps=200,
    batch=32, copies=1, distill=0.5, bit_cost=3e-4, rate_tables=0.1, refine_steps=210,
)  # fmt: skip
LUTS = PopulationRecipe(
    "tiny", "toy", input_bits=2, widths=(30,), members=2, steps=300, batch=64, copies=0,
    distill=0,
)  # fmt: skip


class Stop(Exception):
    pass


class Interrupt:
    """Progress that stops a run once a step named so has taken some steps."""

    def __init__(self, name, after):
        self.name, self.after, self.at = name, after, ""

    @contextmanager
    def step(self, name, total=0):
        self.at, self.done = name, 0
        yield self

    def advance(self, count=1, note=""):
        self.done += count
        if self.at.startswith(self.name) and self.done >= self.after:
            raise Stop


@pytest.fixture(autouse=True)
def toy(monkeypatch):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(900, 5))
    y = (x[:, 0] + x[:, 1] > 0).astype(int) + (x[:, 2] > 0.5)
    names = tuple("abcde"), ("none", "one", "both")
    raw = datasets.Raw(x[:700], y[:700], x[700:], y[700:], *names, "made up")
    known = datasets._sources()
    monkeypatch.setattr(datasets, "_sources", lambda: {**known, "toy": lambda data_dir: raw})


@pytest.fixture(autouse=True)
def quick_teacher(monkeypatch):
    from nnlogic.train import teacher

    fit = teacher.fit
    monkeypatch.setattr(teacher, "TEACHERS", 1)
    monkeypatch.setattr(teacher, "fit", lambda *a, **k: fit(*a, **{**k, "steps": 20}))


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("NNLOGIC_CACHE", str(folder))
    return folder


def test_a_teacher_is_trained_once_and_a_damaged_one_again(tmp_path, cache, monkeypatch):
    from nnlogic.train import teacher

    trained = []
    make = teacher.make_teacher
    monkeypatch.setattr(teacher, "make_teacher", lambda *a: trained.append(1) or make(*a))
    recipe = replace(SUMS, steps=2, refine_steps=0)
    first, second = (train(recipe, out=tmp_path / n, device="cpu") for n in "ab")
    assert trained == [1]
    assert first.checkpoint.read_bytes() == second.checkpoint.read_bytes()
    (kept,) = (cache / "teachers").iterdir()
    kept.write_bytes(kept.read_bytes()[:50])
    train(recipe, out=tmp_path / "c", device="cpu")
    assert trained == [1, 1]


def test_perturbation_out_of_range_is_refused():
    with pytest.raises(UsageError) as caught:
        parse_recipe(
            {"name": "n", "dataset": "d", "shape": "luts", "widths": [4], "shake": -1, "plain": 2},
            "x",
        )
    assert {p.where for p in caught.value.problems} == {"shake", "plain"}


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"widths": (31,)}, r"31 tables vote for 3 classes, which leaves 1 over.*30 or 33"),
        ({"widths": (2,)}, r"2 tables vote .* 3$"),
        ({"votes": (1, 2)}, "2 weights for 10 votes per class"),
    ],
)
def test_a_recipe_that_does_not_fit_the_classes_is_refused_before_training(change, text, tmp_path):
    with pytest.raises(UsageError) as caught:
        train(replace(LUTS, **change), out=tmp_path / "o", device="cpu")
    (problem,) = caught.value.problems
    assert re.search(text, f"{problem.why} {problem.fix}")
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize(
    ("recipe", "name", "after"),
    [(SUMS, "train tiny", 100), (SUMS, "refine tiny", 200), (LUTS, "train tiny", 200)],
    ids=["sums", "refinement", "luts"],
)
def test_resumed_is_as_never_interrupted(recipe, name, after, tmp_path, monkeypatch):
    monkeypatch.setattr(PopulationTraining, "save_seconds", 0.0)
    whole = train(recipe, out=tmp_path / "a", device="cpu")
    with pytest.raises(Stop):
        train(recipe, out=tmp_path / "b", device="cpu", progress=Interrupt(name, after))
    assert [p.name for p in (tmp_path / "b").iterdir()] == ["tiny.state.pt"]
    with pytest.raises(UsageError, match="already holds"):
        train(recipe, out=tmp_path / "b", device="cpu")
    torch.manual_seed(99)
    resumed = train(recipe, out=tmp_path / "b", device="cpu", resume=True)
    assert resumed.checkpoint.read_bytes() == whole.checkpoint.read_bytes()
    assert resumed.accuracy == whole.accuracy


def test_another_run_or_a_broken_state_is_not_resumed(tmp_path):
    train(replace(LUTS, steps=2), out=tmp_path, device="cpu")
    with pytest.raises(UsageError, match="cannot resume another run"):
        train(replace(LUTS, steps=3), out=tmp_path, device="cpu", resume=True)
    state = tmp_path / "tiny.state.pt"
    state.write_bytes(state.read_bytes()[:100])
    with pytest.raises(CheckpointError, match="cannot be read"):
        train(replace(LUTS, steps=2), out=tmp_path, device="cpu", resume=True)


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot write the output"):
        train(replace(LUTS, steps=2), out=tmp_path / "file" / "sub", device="cpu")


def planted(seed=0, rows=3000):
    generator = torch.Generator().manual_seed(seed)
    codes = torch.randint(0, 16, (rows, 4), generator=generator).to(torch.uint8)
    total = codes[:, 0].float() + (codes[:, 2].float() - 8).abs() * 2 - codes[:, 1].float() * 0.3
    y = (total > 12).long() + (total > 20).long()
    val = slice(0, 500)
    return PopulationRows(
        x=codes[500:], y=y[500:], x_val=codes[val], y_val=y[val], x_rank=codes[val],
        y_rank=y[val], input_bits=4, task=Classification(3), plain_rows=rows - 500,
    )  # fmt: skip


def table_bits(model, member):
    """Bits of every table as they are exported, constant ones 0."""
    net = to_quantnet(
        model.network(member), name="n", features="abcd", classes="xyz",
        thresholds=[np.arange(15) + 0.5] * 4, input_bits=4,
    )  # fmt: skip
    edges = [part for part in net.layers if isinstance(part, Enumerated) and "edges" in part.name]
    return [sum(f.bits for f in part.formats) for part in edges]


@pytest.mark.parametrize("group", [1, 2])
def test_refinement_keeps_bits_and_loses_nothing(group):
    recipe = replace(
        SUMS, dataset="x", input_bits=4, steps=300, batch=64, bit_cost=3e-3, distill=0,
        refine_steps=300, group=group,
    )  # fmt: skip
    job = PopulationSteps(recipe, planted())
    job.run(recipe.steps)
    before = job.merits()
    bits = [table_bits(job.model, m) for m in range(2)]
    refine(job)
    assert (job.merits() >= before).all()
    assert (job.merits() > before).any()
    for own, old in zip([table_bits(job.model, m) for m in range(2)], bits, strict=True):
        assert all(a <= b for a, b in zip(own, old, strict=True))


def test_settling_changes_no_function_and_bounds_hold_the_bits():
    model = SumPopulation(3, 4, 3, 3, hidden=3, hidden_bits=3, shift=1, seed=1)
    with torch.no_grad():
        model.first_step.copy_(torch.randint(0, 3, model.first_step.shape))
        model.first[0, 0, :, 0] = 5.0
        # All odd: two apart, at a step of one.
        model.first[0, 1, :, 0] = torch.arange(8) * 2 - 7.0
        model.first_step[0, 1, 0, 0] = 0
    codes = torch.randint(0, 8, (200, 4))
    before = model.hard_scores(codes)
    bounds = settle(model)
    assert torch.equal(model.hard_scores(codes), before)
    for tables, low, high in bounds:
        assert ((tables >= low) & (tables <= high)).all()
    tables, low, high = bounds[0]
    assert torch.equal(low[0, :2, :, 0], high[0, :2, :, 0])
    step = torch.exp2(model.first_step)
    levels = torch.round((high - low).amax(2, keepdim=True) / step - 2 * SLACK) + 1
    free = (high > low).amax(2, keepdim=True)
    assert (torch.log2(levels[free]) % 1 == 0).all()
    # Entries pushed to their bounds still have the bits they had.
    old = exported_bits(model)
    with torch.no_grad():
        model.first.copy_(torch.where(torch.rand_like(low) < 0.5, low, high))
    assert (exported_bits(model) <= old).all()


def exported_bits(model):
    """Bits of the first tables: of differences, their common factor taken out."""
    values = model.whole(model.first, model.first_step).detach().numpy().astype(int)
    rising = values - values.min(2, keepdims=True)
    common = np.maximum(np.gcd.reduce(rising, axis=2, keepdims=True), 1)
    return np.ceil(np.log2((rising // common).max(2) + 1))


def test_refinement_is_for_sums():
    with pytest.raises(UsageError) as caught:
        parse_recipe(
            {"name": "n", "dataset": "digits", "shape": "luts", "widths": [8], "refine_steps": 5},
            "r",
        )
    assert [p.where for p in caught.value.problems] == ["refine_steps"]


@pytest.mark.parametrize("recipe", [LUTS, replace(SUMS, steps=50)], ids=["luts", "sums"])
def test_report_of_a_population(recipe, tmp_path):
    result = train(recipe, out=tmp_path, device="cpu")
    net = nnlogic.load(result.checkpoint)
    assert net.info["accuracy"] == result.accuracy
    assert result.accuracy["quantized"] == result.accuracy["table"]
    assert ("float" in result.accuracy) == bool(recipe.distill)
    assert net.info["lut_estimate"] == result.lut_estimate
    assert result.lut_estimate["total"] == pytest.approx(sum(estimate_luts(net).values()), abs=0.5)
