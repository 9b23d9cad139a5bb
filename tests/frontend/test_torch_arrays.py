"""Tensors of torch files as arrays: which are read, which refused, and that none takes memory."""

import warnings

import numpy as np
import pytest
import torch

from nnlogic.core.errors import CheckpointError
from nnlogic.core.limits import WEIGHTS
from nnlogic.frontend.finite import finite
from nnlogic.frontend.torch_file import as_array, read_arrays


def saved(content, folder):
    path = folder / "model.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        torch.save(content, path)
    return path


@pytest.mark.parametrize(
    "tensor",
    [
        torch.tensor([1.0, 0.5]),
        torch.nn.Parameter(torch.tensor([1.0, 0.5])),
        torch.tensor([1.0, 0.5], dtype=torch.float64),
        torch.tensor([1.0, 0.5], dtype=torch.float16),
        torch.tensor([1.0, 0.5], dtype=torch.bfloat16),
        torch.tensor([1.0, 0.5]).to(torch.float8_e4m3fn),
    ],
    ids=lambda tensor: f"{type(tensor).__name__}-{tensor.dtype}",
)
def test_floats_of_any_width_are_float32(tensor, tmp_path):
    found = read_arrays(saved({"w": tensor}, tmp_path))["w"]
    assert found.dtype == np.float32
    assert found.tolist() == [1.0, 0.5]


def test_integers_stay_what_they_are(tmp_path):
    found = read_arrays(saved({"w": torch.tensor([3], dtype=torch.int16)}, tmp_path))["w"]
    assert (found.dtype, found.tolist()) == (np.int16, [3])


def test_numbers_of_numpy_beside_tensors_are_numbers(tmp_path):
    told = {"auc": np.float64(0.25), "epoch": np.int64(-3), "ok": np.bool_(True)}
    found = read_arrays(saved({**told, "w": torch.ones(1)}, tmp_path))
    assert [(type(found[name]), found[name]) for name in told] == [
        (float, 0.25), (int, -3), (bool, True)
    ]  # fmt: skip


@pytest.mark.parametrize(
    "value",
    [np.zeros(2), np.dtype("O"), np.datetime64("2026-01-01"), np.zeros((), "i4,f4")[()]],
    ids=lambda value: type(value).__name__,
)
def test_other_things_of_numpy_are_refused(value, tmp_path):
    with pytest.raises(CheckpointError):
        read_arrays(saved({"w": torch.ones(1), "more": value}, tmp_path))


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda: torch.eye(2).to_sparse(), "sparse_coo"),
        (lambda: torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8), "qint8"),
        (lambda: torch.ones(2, device="meta"), "float32"),
    ],
)
def test_tensors_that_are_no_arrays_are_named(make, kind, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        path = saved({"layers": [{"w": make()}]}, tmp_path)
    with pytest.raises(CheckpointError, match=r"model\.pt") as caught:
        read_arrays(path)
    [problem] = caught.value.problems
    assert problem.where == "layers.0.w"
    assert kind in problem.why


def test_a_view_that_repeats_a_value_is_counted_before_it_is_one(tmp_path):
    path = saved({"w": torch.ones(1).expand(WEIGHTS.value + 1), "x": torch.ones(1)}, tmp_path)
    assert path.stat().st_size < 10_000
    with pytest.raises(CheckpointError) as caught:
        read_arrays(path)
    assert [problem.where for problem in caught.value.problems] == ["w"]
    assert caught.value.problems[0].fix == f"NNLOGIC_MAX_WEIGHTS={WEIGHTS.value + 1}"


def test_what_stands_in_several_places_is_read_once(tmp_path):
    value = {"w": torch.zeros(1)}
    for _ in range(60):
        value = {"a": value, "b": [value, value]}
    found = read_arrays(saved(value, tmp_path))
    assert found["a"] is found["b"][0] is found["b"][1]
    loop = []
    loop.append(loop)
    found = read_arrays(saved(loop, tmp_path))
    assert found[0] is found


@pytest.mark.parametrize("value", [None, "x", [1, [2]], {}, "9" * 5000])
def test_what_is_no_tensor_is_an_array_of_no_numbers(value):
    assert (as_array(value).dtype.kind, as_array(value).shape) == ("O", (0,))
    assert as_array(2).shape == ()


@pytest.mark.parametrize(
    "compute",
    [
        lambda big: big * big,
        lambda big: np.float32(1) / (big - big),
        lambda big: (big - big) / (big - big),
    ],
)
def test_numbers_beyond_float32_are_refused(compute, tmp_path):
    with pytest.raises(CheckpointError, match="float32"), finite(tmp_path / "model.pt"):
        compute(np.float32(3e38))


def test_numbers_within_float32_pass(tmp_path):
    with finite(tmp_path / "model.pt"):
        assert np.float32(3e38) / np.float32(2) == np.float32(1.5e38)
