"""Populations that slide over samples: codes of several bits, sums on windows, recipes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from nnlogic.core.errors import InputError, UsageError
from nnlogic.core.windows import Frame, Window
from nnlogic.data import cifar, load
from nnlogic.data.beats import beats
from nnlogic.data.maps import as_map
from nnlogic.frontend import load as load_net
from nnlogic.model.window import WindowSpec
from nnlogic.nn.population import LutPopulation, SumPopulation
from nnlogic.quant.ir import Windowed
from nnlogic.quant.kernel_network import leading_windows
from nnlogic.run.compile_run import compile
from nnlogic.train import load_recipe, train
from nnlogic.train.population_recipe import PopulationRecipe
from nnlogic.train.recipe_file import parse_recipe


@pytest.fixture(scope="module")
def pulses():
    data = load("pulses")
    return replace(
        data, x_train=data.x_train[:3000], y_train=data.y_train[:3000], x_test=data.x_test[:500],
        y_test=data.y_test[:500], x_val=data.x_val[:500], y_val=data.y_val[:500],
    )  # fmt: skip


@pytest.fixture(scope="module")
def trained(pulses, tmp_path_factory):
    recipe = replace(load_recipe("pulses"), steps=60, hidden=2, bit_cost=1e-3)
    recipe = replace(recipe, windows=(replace(recipe.windows[0], widths=(2,)),))
    return train(recipe, out=tmp_path_factory.mktemp("pulses"), dataset=pulses, device="cpu")


def test_the_recipe_of_pulses_makes_a_network_that_slides(trained, pulses, tmp_path):
    net = load_net(trained.checkpoint)
    (window,) = leading_windows(net)
    assert window.window == Window((1, 16), (1, 4))
    assert [q.name for q in net.quantities] == ["time", "amplitude"]
    run = compile(
        trained.checkpoint, tmp_path / "run", continuous=True, arith="auto", effort="fast", jobs=1
    )
    assert not run.report.failed
    assert run.report.timing.initiation_interval == 4


def test_codes_of_an_adc_are_its_top_bits(trained, pulses):
    net = load_net(trained.checkpoint)
    codes = net.encode(pulses.x_test)
    assert np.array_equal(codes, pulses.x_test.astype(np.int64) >> 2)


def test_sums_at_places_are_those_of_each_window():
    window, frame = Window((1, 5), (1, 2)), Frame(2, 1, 11)
    made = SumPopulation(
        1, 22, 3, 2, hidden=3, hidden_bits=3, shift=1, frame=frame, window=window, relative=False,
        reach=8.0,
    )  # fmt: skip
    alone = SumPopulation(1, 10, 3, 2, hidden=3, hidden_bits=3, shift=1, relative=False, reach=8.0)
    codes = torch.randint(0, 8, (40, 22), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        alone.first.copy_(made.first)
        alone.offset.copy_(made.offset)
        alone.second.copy_(made.second[:, :3])
        total = torch.zeros(1, 40, 2)
        for place in range(made.places):
            alone.second.copy_(made.second[:, 3 * place : 3 * place + 3])
            part = codes[:, 4 * place : 4 * place + 10]
            total += alone.hard_scores(part)
        assert made.places == 4
        assert torch.equal(made.hard_scores(codes), total)


def test_functions_of_codes_are_shared_by_all_places_and_exported_as_windows():
    frame = Frame(2 * (3 + 2), 1, 9)
    made = LutPopulation(
        1, 18, 3, 2, widths=(6,), functions=2, centres=torch.rand(18, 2) * 8, frame=frame,
        windows=(WindowSpec((1, 3), (5,)),),
    )  # fmt: skip
    assert made.functions is not None
    assert made.functions.logits.shape == (1, 2, 2, 8)
    codes = torch.randint(0, 8, (50, 18), generator=torch.Generator().manual_seed(0))
    from nnlogic.nn.population import to_quantnet

    net = to_quantnet(
        made.network(0), name="shared", features=[f"x{i}" for i in range(18)], classes=("a", "b"),
        thresholds=[np.arange(1, 8) - 0.5] * 18, input_bits=3,
    )  # fmt: skip
    encoder, conv = leading_windows(net)
    assert isinstance(encoder, Windowed)
    assert (encoder.window, encoder.role) == (Window((1, 1)), "encoder")
    assert conv.window.size == (1, 3)
    found = net.evaluate(codes.numpy())[:, :2]
    want = made.hard_scores(codes)[0].numpy()
    assert np.array_equal(found - found[:1, :1], want - want[:1, :1])


def test_what_a_window_of_sums_cannot_have_is_told():
    table = {
        "name": "p", "dataset": "pulses", "shape": "sums", "task": "regression", "hidden": 4,
        "frame": [1, 16], "windows": [{"size": [1, 4], "widths": [3], "padding": [0, 1]}],
    }  # fmt: skip
    with pytest.raises(UsageError) as caught:
        parse_recipe(table, "p.toml")
    text = caught.value.text()
    assert "need one, with widths = [4]" in text
    assert "padding or pooling" in text
    odd = {**table, "windows": [{"size": [1], "widths": [4]}]}
    with pytest.raises(UsageError, match="two values"):
        parse_recipe(odd, "p.toml")


def test_places_of_a_map_are_coded_alike(pulses):
    from nnlogic.train.population_rows import make_thresholds

    recipe = PopulationRecipe(
        "p", "pulses", widths=(4,), input_bits=4, frame=(1, 16), input_method="uniform",
        windows=(WindowSpec((1, 3), (4,)),), task="regression",
    )  # fmt: skip
    odd = replace(pulses, x_train=pulses.x_train * 0.37)
    found = make_thresholds(odd, recipe)
    assert len(found) == 16
    assert all(torch.equal(t, found[0]) for t in found)


def test_cifar_trains_on_synthetic_images_with_its_colours_side_by_side(tmp_path):
    rng = np.random.default_rng(0)
    folder = tmp_path / "cifar-10-batches-bin"
    folder.mkdir()
    for name in (*cifar.TRAIN, *cifar.TEST):
        rows = rng.integers(0, 256, (40, cifar.PIXELS + 1), dtype=np.uint8)
        rows[:, 0] = np.arange(40) % 10
        (folder / name).write_bytes(rows.tobytes())
    recipe = load_recipe("cifar10_conv")
    assert recipe.problems() == []
    small = replace(
        recipe, steps=2, batch=4, widths=(20,), windows=(replace(recipe.windows[0], widths=(4,)),)
    )
    made = train(small, out=tmp_path / "out", data_dir=tmp_path, device="cpu")
    net = load_net(made.checkpoint)
    assert [p.name for p in net.inputs[:4]] == ["r0_0", "g0_0", "b0_0", "r0_1"]
    encoder = leading_windows(net)[0]
    assert (encoder.frame.channels, encoder.frame.positions) == (3, 1024)


def test_keywords_need_a_local_copy_and_become_maps(tmp_path):
    with pytest.raises(InputError, match="Speech Commands"):
        load("kws")
    rng = np.random.default_rng(0)
    x = rng.integers(-128, 128, (60, 49, 10)).astype(np.int8)
    y, classes = np.arange(60) % 12, np.array([f"w{i}" for i in range(12)])
    np.savez(tmp_path / "kws_mlperftiny_1k.npz", X=x, y=y, classes=classes)
    recipe = load_recipe("kws")
    data = as_map(load("kws", tmp_path), recipe.frame)
    assert data.feature_names[:11] == (*(f"mfcc{c}_t0" for c in range(10)), "mfcc0_t1")
    together = {tuple(row) for row in (x.reshape(60, -1).astype(int) + 128).tolist()}
    assert {tuple(row) for row in data.x_train.astype(int).tolist()} <= together
    np.savez(tmp_path / "kws_mlperftiny_1k.npz", X=x[:, :9], y=y, classes=classes)
    with pytest.raises(InputError, match="need \\(rows, 49, 10\\)"):
        load("kws", tmp_path)


@pytest.mark.parametrize("name", ["ecg", "kws"])
def test_recipes_for_streams_have_no_padding_and_fit_their_frame(name):
    recipe = load_recipe(name)
    assert recipe.problems() == []
    frame = recipe.first_frame
    for spec in recipe.windows:
        assert not any(spec.padding)
        frame = spec.after(frame)
    assert frame.height == 1
    assert frame.width > 1


def test_simulated_beats_are_seeded_and_can_be_told_apart():
    x, y = beats(400, 3)
    assert np.array_equal(beats(400, 3)[0], x)
    assert x.shape == (400, 64)
    assert 0 <= x.min() <= x.max() < 256
    means = np.stack([x[y == c].mean(0) for c in range(4)])
    again, classes = beats(400, 4)
    nearest = ((again[:, None] - means) ** 2).sum(2).argmin(1)
    assert 0.7 < (nearest == classes).mean() < 1
