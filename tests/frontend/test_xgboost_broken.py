"""Broken and hostile model files: refused with the file's name, soon, and in little memory."""

import copy
import json
import math
import random
import struct
import tracemalloc
from pathlib import Path

import pytest

import nnlogic
from nnlogic.core.errors import CheckpointError, NNLogicError, UnsupportedModel
from nnlogic.frontend.trees import ubjson

DATA = Path(__file__).parent / "data" / "xgboost"
VALUES = (
    None, True, -1, 2**70, 1.5, math.inf, math.nan, 1e300, "x", "-1", "9" * 5000, "nan", "[]", [],
    {}, [[1]], ["1"], [2**70], [None] * 3, {"a": 1},
)  # fmt: skip


def model(stem="softmax", trees=3):
    """A small model as JSON data."""
    found = json.loads((DATA / f"{stem}.json").read_text())
    content = found["learner"]["gradient_booster"]["model"]
    content["trees"], content["tree_info"] = content["trees"][:trees], content["tree_info"][:trees]
    content["iteration_indptr"] = [0, trees]
    return found


def places(value, path=()):
    """Yield the path of every value; of long arrays only the first two and the last."""
    yield path
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from places(inner, (*path, name))
    elif isinstance(value, list):
        for i in sorted({0, 1, len(value) - 1} & set(range(len(value)))):
            yield from places(value[i], (*path, i))


def refusal(path):
    """Return what a file is refused with; nothing but our own errors may be raised."""
    try:
        nnlogic.load(path)
    except NNLogicError as error:
        return error
    return None


def test_every_value_may_be_wrong(tmp_path):
    whole = model("softmax_two", 2)
    path = tmp_path / "model.json"
    refused = 0
    for place in list(places(whole))[1:]:
        changed = copy.deepcopy(whole)
        inner = changed
        for name in place[:-1]:
            inner = inner[name]
        for value in VALUES:
            inner[place[-1]] = value
            path.write_text(json.dumps(changed))
            error = refusal(path)
            assert error is None or (error.exit_code, error.where) == (3, str(path)), place
            refused += error is not None
    assert refused > 700


def test_bytes_of_a_binary_model_may_be_wrong(tmp_path):
    data = (DATA / "logistic.ubj").read_bytes()
    path = tmp_path / "model.ubj"
    draw = random.Random(1)
    refused = 0
    for _ in range(400):
        broken = bytearray(data)
        for _ in range(draw.choice((1, 1, 8))):
            broken[draw.randrange(len(data))] = draw.randrange(256)
        path.write_bytes(bytes(broken)[: draw.choice((len(data), draw.randrange(len(data))))])
        error = refusal(path)
        assert error is None or (error.exit_code, error.where) == (3, str(path)), error
        refused += error is not None
    assert refused > 150


def chain(depth):
    """Arrays of a tree that goes right `depth` times."""
    left = [i for k in range(depth) for i in (2 * k + 1, -1)] + [-1]
    right = [i for k in range(depth) for i in (2 * k + 2, -1)] + [-1]
    bounds = [v for k in range(depth) for v in (k / 8, float(k % 2))] + [2.0]
    return {
        "left_children": left, "right_children": right, "split_conditions": bounds,
        "split_indices": [0] * len(left),
    }  # fmt: skip


def one_tree(tree):
    found = model("logistic", 1)
    found["learner"]["gradient_booster"]["model"]["trees"] = [tree]
    return found


def sized(name, value):
    found = model()
    found["learner"]["learner_model_param"][name] = value
    found["learner"]["feature_names"] = []
    return found


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (sized("num_feature", "1000000"), "1,000,000 input features, limit 65,536"),
        (sized("num_feature", str(10**12)), "NNLOGIC_MAX_FEATURES=1000000000000"),
        (sized("num_class", "5000"), "5,000 classes, limit 4,096"),
        (one_tree(chain(1500)), "1,500 splits one behind another, limit 256"),
        (one_tree(chain(20_000)), "NNLOGIC_MAX_TREE_DEPTH=20000"),
        (one_tree({**chain(3), "split_indices": [2**70] * 7}), "beyond int64"),
        (one_tree({**chain(3), "split_indices": [2**60] * 7}), "a feature beyond the 5"),
        (one_tree({**chain(3), "split_conditions": "0,1,2"}), "values of type str"),
        (one_tree({**chain(3), "left_children": ["1"] * 7}), "values of type str"),
        (one_tree({**chain(3), "split_conditions": [math.inf] * 7}), "NaN or infinite"),
        (one_tree({**chain(3), "split_conditions": [1e39] * 7}), "NaN or infinite"),
        (one_tree("a tree"), "left_children is missing"),
        (one_tree(chain(0) | {"left_children": []}), "arrays of 0, 1 nodes"),
        (one_tree({**chain(1), "left_children": [-5, -1, -1]}), "none of the 3 nodes"),
    ],
)
def test_files_that_ask_for_too_much(tmp_path, content, words):
    path = tmp_path / "model.json"
    path.write_text(json.dumps(content))
    tracemalloc.start()
    with pytest.raises((CheckpointError, UnsupportedModel)) as caught:
        nnlogic.load(path)
    assert tracemalloc.get_traced_memory()[1] < 1 << 27
    tracemalloc.stop()
    assert words in caught.value.text()
    assert str(path) in caught.value.where


def test_limits_can_be_raised(tmp_path, monkeypatch):
    path = tmp_path / "model.json"
    path.write_text(json.dumps(one_tree(chain(400))))
    with pytest.raises(CheckpointError, match="NNLOGIC_MAX_TREE_DEPTH=400"):
        nnlogic.load(path)
    monkeypatch.setenv("NNLOGIC_MAX_TREE_DEPTH", "400")
    assert nnlogic.load(path).stats()["layers"] > 100


def test_many_stumps_with_a_bound_each_are_refused_before_their_tables_are_made(tmp_path):
    found = model("logistic", 1)
    stumps = [{**chain(1), "split_conditions": [i / 3, 0.0, i % 7 / 8]} for i in range(6000)]
    content = found["learner"]["gradient_booster"]["model"]
    content.update(trees=stumps, tree_info=[0] * len(stumps), iteration_indptr=[0, len(stumps)])
    path = tmp_path / "stumps.json"
    path.write_text(json.dumps(found))
    with pytest.raises(UnsupportedModel, match="entries in the tables of all comparators, limit"):
        nnlogic.load(path)


def test_text_that_is_nested_or_cut_off(tmp_path):
    whole = (DATA / "hinge.json").read_text()
    deep = '{"learner":' + "[" * 100_000 + "]" * 100_000 + "}"
    for text in (deep, whole[:-40], whole.replace('"name"', '"nam"'), "{}", '{"learner":3}'):
        path = tmp_path / "model.json"
        path.write_text(text)
        with pytest.raises(CheckpointError) as caught:
            nnlogic.load(path)
        assert caught.value.where == str(path)
    path.write_text("\ufeff" + whole)
    assert nnlogic.load(path).info["trees"] == 5


LONG = struct.pack(">q", 10**12)


@pytest.mark.parametrize(
    "data",
    [
        b"{L" + LONG, b"{i\x01a[$d#L" + LONG, b"{i\x01a[$Z#L" + LONG, b"{i\x01a[#L" + LONG,
        b"{i\x01a[$[#i\x01", b"{$i#i\x01", b"{i\xffa", b"{i\x01a" + b"[" * 100, b"{i\x01aH",
        b"{i\x01aS", b"{i\x01\xffi\x01}", b"{i\x01ai\x01i\x01ai\x01}", b"{i\x01ai\x01}x", b"{", b"",
        b"{i\x01a[$di\x01", b"{i\x01aC\xff}",
    ],
)  # fmt: skip
def test_binary_documents_that_are_none(data):
    with pytest.raises(ValueError):
        ubjson.parse(data)


def test_binary_documents():
    data = b"{Ni\x01a[ZTFi\xffU\xffI\x01\x00l\x00\x01\x00\x00]U\x01bSi\x02\xc3\xa9"
    data = data.replace(b"{N", b"{") + b"i\x01c[$d#i\x02" + struct.pack(">2f", 1, -0.5)
    data += b"i\x01d{#i\x01i\x01eNCx" + b"i\x01f[#i\x01D" + struct.pack(">d", 2.5) + b"}"
    found = ubjson.parse(data)
    assert found["a"] == [None, True, False, -1, 255, 256, 65536]
    assert (found["b"], found["c"].tolist(), found["d"]) == ("é", [1.0, -0.5], {"e": "x"})
    assert found["f"] == [2.5]


def test_equal_trees_share_their_tables(tmp_path):
    """20,000 equal stumps took gigabytes when rows were put through a table for each."""
    found = model("logistic", 1)
    content = found["learner"]["gradient_booster"]["model"]
    content.update(trees=[chain(1)] * 20_000, tree_info=[0] * 20_000)
    content["iteration_indptr"] = [0, 20_000]
    path = tmp_path / "stumps.json"
    path.write_text(json.dumps(found))
    assert nnlogic.load(path).stats()["neurons"] < 10
