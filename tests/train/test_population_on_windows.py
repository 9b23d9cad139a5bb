"""Populations on maps through training: resumed, estimated, and what recipes of them may say."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
import torch

from nnlogic import data, load
from nnlogic.core.errors import UsageError
from nnlogic.core.formats import IntFormat, Port
from nnlogic.core.windows import Frame, Window
from nnlogic.predict.estimate import estimate_luts
from nnlogic.quant.ir import Enumerated, QuantNet
from nnlogic.quant.kernel import WINDOW, Kernel
from nnlogic.quant.layers.windowed import Windowed
from nnlogic.train import load_recipe, train
from nnlogic.train.population_recipe import check_fit
from nnlogic.train.recipe_file import parse_recipe

STEPS = 300
"""More than a burst, so that a run can be stopped in between."""


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


class Stop(Exception):
    pass


class StopAfterBurst:
    @contextmanager
    def step(self, name, total=0):
        self.training = total == STEPS
        yield self

    def advance(self, count=1, note=""):
        if self.training and count:
            raise Stop


def test_digits_conv_learns_resumes_to_the_same_file_and_says_what_it_costs(tmp_path):
    recipe = replace(load_recipe("digits_conv"), steps=STEPS, members=1, batch=64)
    whole = train(recipe, out=tmp_path / "a", device="cpu")
    with pytest.raises(Stop):
        train(recipe, out=tmp_path / "b", device="cpu", progress=StopAfterBurst())
    resumed = train(recipe, out=tmp_path / "b", device="cpu", resume=True)
    assert resumed.checkpoint.read_bytes() == whole.checkpoint.read_bytes()
    net, rows = load(whole.checkpoint), data.load("digits")
    right = np.mean(net.evaluate(net.encode(rows.x_test))[:, -1] == rows.y_test)
    assert right == whole.accuracy["table"] > 0.5
    # 16 tables of the kernel and their pooling once, not at 64 and 16 positions.
    luts = estimate_luts(net)
    assert luts["conv0"] + luts["conv0_pool"] <= 32
    assert whole.lut_estimate["network"] <= 32 + 120 + 60


def test_without_a_gpu_a_recipe_takes_its_steps_for_a_cpu_and_says_so(tmp_path, caplog):
    recipe = replace(
        load_recipe("digits_conv"), steps=STEPS, members=1, batch=64, cpu_steps=2, cpu_batch=8
    )
    found = load(train(recipe, out=tmp_path, device="cpu").checkpoint).info["training"]
    said = {key: found["recipe"].get(key) for key in ("steps", "batch", "cpu_steps", "cpu_batch")}
    assert said == {"steps": 2, "batch": 8, "cpu_steps": None, "cpu_batch": None}
    assert "no GPU: 2 steps of 8 rows for a CPU, not 300 of 64" in caplog.text
    assert recipe.on_gpu() == replace(recipe, cpu_steps=0, cpu_batch=0)
    with pytest.raises(UsageError, match=r"cpu_steps\s+-1, at least 0"):
        parse_recipe({**replace(recipe, cpu_steps=-1).to_meta(), "shape": "luts"}, "here")


def test_a_kernel_counts_once_a_group_and_only_what_is_read():
    bit = IntFormat(1)
    both = Enumerated(
        "and", (WINDOW,), ((0, 1), (0, 1)), (np.array([0, 0, 0, 1]), np.array([0, 1, 1, 0])),
        (bit, bit), (bit,) * 2,
    )  # fmt: skip

    def luts(outputs, *, shared):
        kernels = (Kernel((both,)),) * (1 if shared else 6)
        frame, window = Frame(2, 1, 4), Window((1, 2))
        layer = Windowed("conv", ("input",), frame, window, kernels, 2, shared)
        ports = tuple(Port(f"x{i}", bit) for i in range(8))
        out = tuple((Port(f"y{i}", bit), "conv", i) for i in outputs)
        return estimate_luts(QuantNet("n", ports, (layer,), out))["conv"]

    assert luts(range(12), shared=True) == 4
    assert luts([0, 4, 8], shared=True) == 1  # one channel of one group, at three positions
    assert luts(range(12), shared=False) == 12


RECIPE = {
    "name": "n", "dataset": "d", "shape": "luts", "widths": [20], "input_bits": 1, "frame": [4, 6],
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "texts"),
    [
        (
            {"windows": [{"size": [5, 5], "widths": [4]}]},
            ["window 0 on 1x4x6", "5 high", "the frame, 4"],
        ),
        (
            {
                "steps": 0,
                "windows": [
                    {"size": [3, 3], "widths": [4]},
                    {"size": [3, 3], "widths": [4]},  # of 2 rows
                    {"size": [1], "widths": []},
                ],
            },
            ["steps", "window 1", "window 2", "size [1]"],
        ),
        ({"frame": [24], "windows": [{"size": [3, 3], "widths": [4]}]}, ["frame", "[24]"]),
        ({"windows": [{"size": [3, 3], "widths": [4], "padding_code": 2}]}, ["padding_code"]),
        ({}, ["frame", "there are no windows"]),
    ],
)
def test_windows_that_do_not_fit_are_refused_all_at_once(change, texts):
    with pytest.raises(UsageError) as caught:
        parse_recipe(RECIPE | change, "x")
    message = str(caught.value)
    assert [text for text in texts if text not in message] == []


def test_a_frame_of_other_features_and_votes_that_do_not_split_are_one_message():
    recipe = parse_recipe(RECIPE | {"windows": [{"size": [3, 3], "widths": [4]}]}, "x")
    check_fit(recipe, 24, 10)
    with pytest.raises(UsageError) as caught:
        check_fit(recipe, 64, 3)
    assert {p.where for p in caught.value.problems} == {"widths", "frame"}
    assert "4 x 6 = 24 places for 64 features" in str(caught.value)


def test_rows_evaluated_a_few_at_a_time_give_the_same(monkeypatch):
    bit = IntFormat(1)
    table = Enumerated("t", (WINDOW,), ((0, 1),), (np.array([0, 1, 1, 0]),), (bit,), (bit,) * 2)
    layer = Windowed("conv", ("input",), Frame(1, 1, 5), Window((1, 2)), (Kernel((table,)),))
    ports = tuple(Port(f"x{i}", bit) for i in range(5))
    out = tuple((Port(f"y{i}", bit), "conv", i) for i in range(4))
    net = QuantNet("n", ports, (layer,), out)
    x = np.random.default_rng(0).integers(0, 2, (23, 5))
    seen, trace = [], QuantNet.trace
    monkeypatch.setattr(QuantNet, "trace", lambda net, x: seen.append(len(x)) or trace(net, x))
    monkeypatch.setattr("nnlogic.quant.ir.VALUES_AT_ONCE", 5 * (5 + 4))
    np.testing.assert_array_equal(net.evaluate(x), x[:, :-1] ^ x[:, 1:])
    assert seen == [5, 5, 5, 5, 3]
