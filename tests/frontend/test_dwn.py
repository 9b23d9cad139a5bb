"""Checkpoints of DWN: thermometers, learned wires and votes as the format has them."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import nnlogic
from nnlogic.checks.inputs import first_rung
from nnlogic.checks.inputs.dwn import check_dwn
from nnlogic.core.errors import CheckpointError, UsageError
from nnlogic.frontend.dwn.read import first_above

FEATURES, BITS, CLASSES, N = 4, 3, 3, 3


def model(seed=0):
    """A learned and a fixed layer; the second has a table fewer than classes divide."""
    g = torch.Generator().manual_seed(seed)
    return {
        "config": {"n": N, "layers": [10, 8], "num_classes": CLASSES},
        "state_dict": {
            "0.luts": torch.randn(10, 8, generator=g).round(decimals=0),
            "0._LUTLayer__dummy_mapping": torch.arange(30).view(10, 3).int(),
            "0.mapping.weights": torch.randn(FEATURES * BITS, 30, generator=g).round(decimals=1),
            "1.luts": torch.randn(8, 8, generator=g),
            "1.mapping": torch.randint(10, (8, 3), generator=g, dtype=torch.int32),
        },
        "thermometer": {"thresholds": torch.randn(FEATURES, BITS, generator=g).sort(1).values},
        "scaler": {
            "mean": torch.randn(FEATURES, generator=g),
            "scale": torch.rand(FEATURES, generator=g) + 0.1,
        },
        "classes": ["a", "b", "c"],
        "feature_names": [f"x{i}" for i in range(FEATURES)],
        "torch_version": torch.torch_version.TorchVersion("2.0.0"),
    }


def save(folder, content):
    path = folder / "model.pt"
    torch.save(content, path)
    return path


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.booleans())
def test_the_network_is_the_model(tmp_path_factory, seed, standardized):
    path = save(tmp_path_factory.mktemp("dwn"), model(seed))
    net = nnlogic.load(path, read={"rows": "standardized"} if standardized else None)
    verdict = first_rung(net).check(net, path, 60)()
    assert (verdict.equal, verdict.how) == (True, "sampled n=4096"), verdict.detail
    assert net.info["format"] == "DWN checkpoint"
    assert net.info["class_names"] == ["a", "b", "c"]


def test_compiles(tmp_path):
    net = nnlogic.load(save(tmp_path, model()))
    tables = nnlogic.tabulate(net)
    assert nnlogic.check(tables, nnlogic.minimize(tables, effort="fast")).how == "proved"


def test_a_threshold_is_strict_in_standardized_float32():
    thresholds = np.array([0.0, 1.0, -2.5, 3e38], np.float32)
    mean, scale = np.float32(0.3), np.float32(1e-3)
    edges = first_above(thresholds, mean, scale)
    assert ((edges - mean) / scale > thresholds)[:3].all()
    below = np.nextafter(edges, np.float32(-np.inf))
    assert not ((below - mean) / scale > thresholds)[:3].any()
    assert edges[3] == np.float32(np.inf) or (edges[3] - mean) / scale > thresholds[3]


@pytest.mark.parametrize("part", ["luts", "mapping", "weights", "thresholds", "mean"])
def test_a_changed_model_is_found(tmp_path, part):
    content = model(3)
    net = nnlogic.load(save(tmp_path, content))
    state = content["state_dict"]
    if part == "luts":
        state["1.luts"] *= -1
    elif part == "mapping":
        state["1.mapping"] = (state["1.mapping"] + 1) % 10
    elif part == "weights":
        state["0.mapping.weights"] *= -1
    elif part == "thresholds":
        content["thermometer"]["thresholds"] += 0.5
    else:
        content["scaler"]["mean"] += 0.5
    assert not check_dwn(net, save(tmp_path, content)).equal


BROKEN = {
    "scaler": lambda m: m.pop("scaler"),
    "thermometer": lambda m: m.update(thermometer=3),
    "nan": lambda m: m["thermometer"]["thresholds"].fill_(float("nan")),
    "scale": lambda m: m["scaler"]["scale"].zero_(),
    "shapes": lambda m: m["scaler"].update(mean=torch.zeros(7)),
    "odd": lambda m: m["state_dict"].update({"0.luts": torch.zeros(10, 7)}),
    "wires": lambda m: m["state_dict"].update({"1.mapping": torch.full((8, 3), 10)}),
    "negative": lambda m: m["state_dict"].update({"1.mapping": torch.full((8, 3), -1)}),
    "no wires": lambda m: m["state_dict"].pop("1.mapping"),
    "logits": lambda m: m["state_dict"].update({"0.mapping.weights": torch.zeros(5, 30)}),
    "names": lambda m: m.update(feature_names=["x"]),
    "one class": lambda m: m.update(classes=["a"]),
    "many classes": lambda m: m.update(classes=list("abcdefghijk")),
    "text": lambda m: m["state_dict"].update({"0.luts": "tables"}),
    "layer": lambda m: m["state_dict"].update({"x.luts": torch.zeros(2, 2)}),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_wrong_is_named(tmp_path, name):
    content = model()
    BROKEN[name](content)
    with pytest.raises(CheckpointError, match=r"model\.pt"):
        nnlogic.load(save(tmp_path, content))


def test_options_are_checked(tmp_path):
    path = save(tmp_path, model())
    with pytest.raises(UsageError, match="rows=float"):
        nnlogic.load(path, read="rows=float")


def test_no_code_of_a_file_runs(tmp_path):
    content = model()
    content["config"]["hook"] = torch.nn.Linear(2, 2)
    with pytest.raises(CheckpointError, match="could run code"):
        nnlogic.load(save(tmp_path, content))


@pytest.mark.parametrize("count", [None, 4, "3", 10**12, -1])
def test_a_wrong_number_of_classes_is_named(tmp_path, count):
    content = model()
    for classes in (["a", "b", "c"], None):
        content["classes"] = classes
        content["config"]["num_classes"] = count
        if classes is None and count == 4:
            continue
        with pytest.raises(CheckpointError, match=r"config\.num_classes"):
            nnlogic.load(save(tmp_path, content))
