"""Limits of what a file may ask for: where they hold, what is said, and that they can be raised."""

import random
from pathlib import Path

import pytest

from nnlogic.core import limits as core
from nnlogic.core.errors import CheckpointError, UsageError
from nnlogic.core.limits import FEATURES, LIMITS, NESTING, Limit, nesting, parse_json, parse_toml
from nnlogic.frontend import load
from nnlogic.frontend.trees import limits as trees
from tests.fuzz.files.formats import native


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.name)
def test_a_limit_is_named_where_it_is_passed_and_can_be_raised(limit, monkeypatch):
    assert limit.problems("x", limit.default) == []
    [problem] = limit.problems("x", limit.default + 1)
    assert problem.where == "x"
    assert f"{limit.default + 1:,} {limit.what}, limit {limit.default:,}" == problem.why
    assert problem.fix == f"NNLOGIC_MAX_{limit.name.upper()}={limit.default + 1}"
    monkeypatch.setenv(limit.variable, str(limit.default + 1))
    assert limit.problems("x", limit.default + 1) == []
    [problem] = limit.problems("x", 10**400)
    assert problem.why.startswith("10^18 or more")
    assert problem.fix == "", "no number that the variable takes"


@pytest.mark.parametrize("text", ["-1", "0", "many", "1e6", "9" * 30])
def test_a_limit_that_is_no_number_is_refused(text, monkeypatch):
    monkeypatch.setenv(FEATURES.variable, text)
    with pytest.raises(UsageError, match="NNLOGIC_MAX_FEATURES cannot be used"):
        FEATURES.problems("x", 1)


@pytest.mark.parametrize("depth", [NESTING.default + 1, 500, 100_000])
def test_deep_data_are_refused(depth):
    with pytest.raises(ValueError, match="levels of lists and tables"):
        parse_json("[" * depth + "]" * depth)
    with pytest.raises(ValueError, match="levels of lists and tables"):
        parse_toml("a = " + "[" * depth + "]" * depth)


def test_the_guide_states_every_limit():
    text = (Path(__file__).parents[2] / "docs/guide/errors.md").read_text("utf-8")
    known = {limit for module in (core, trees) for limit in vars(module).values()
             if isinstance(limit, Limit)}  # fmt: skip
    assert known >= set(LIMITS)
    for limit in known:
        assert f"| `{limit.variable}` | {limit.default:,} | {limit.what} |" in text


def test_nesting_counts_levels():
    assert nesting(1) == 0
    assert nesting([]) == nesting({"a": 1}) == 1
    assert nesting({"a": [1, {"b": []}]}) == 4


@pytest.mark.parametrize("number", range(len(native.ABSURD)))
def test_an_absurd_checkpoint_is_refused_by_name(number, tmp_path):
    path = tmp_path / "absurd.safetensors"
    path.write_bytes(native.ABSURD[number](random.Random(0)))
    with pytest.raises(CheckpointError, match=r"absurd\.safetensors"):
        load(path)


@pytest.mark.parametrize(("number", "variable"), [(0, "FEATURES"), (1, "CLASSES"), (2, "LAYERS")])
def test_a_hundred_thousand_of_anything_names_its_limit(number, variable, tmp_path):
    path = tmp_path / "absurd.safetensors"
    path.write_bytes(native.ABSURD[number](random.Random(0)))
    with pytest.raises(CheckpointError, match=f"NNLOGIC_MAX_{variable}=100000"):
        load(path)
