"""Checkpoints of KANELE: splines, scales and the input encoder as the format has them."""

import json
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import BSpline

import nnlogic
from nnlogic.checks.inputs import first_rung
from nnlogic.checks.inputs.kanele import check_kanele
from nnlogic.core.errors import NNLogicError
from nnlogic.frontend.kanele.checkpoint import ACTIVATIONS, bases

QUANT = "brevitas_module.act_quant.fused_activation_quant_proxy.tensor_quant.scaling_impl.value"
NORM = "input_layer.pre_transforms.0."
LAYERS, BITS, ORDER, GRID = [3, 4, 2], [4, 4, 5], 3, 6


def model(seed=0, negative=True):
    g = torch.Generator().manual_seed(seed)
    state = {f"input_layer.{QUANT}": torch.tensor(2.1)}
    for name in ("weight", "bias", "running_mean"):
        state[NORM + name] = torch.randn(3, generator=g) + (name == "weight")
    if negative:
        state[NORM + "weight"][1] = -0.8
    state[NORM + "running_var"] = torch.rand(3, generator=g) + 0.2
    state[NORM + "num_batches_tracked"] = torch.tensor(7)
    state["input_layer.pre_transforms.1.bias"] = torch.tensor([-0.2])
    knots = torch.arange(-ORDER, GRID + ORDER + 1) * (4 / GRID) - 2
    for layer, (ins, outs) in enumerate(pairwise(LAYERS)):
        part = f"layers.{layer}."
        state[part + "base_weight"] = torch.randn(outs, ins, generator=g)
        state[part + "spline_weight"] = torch.randn(outs, ins, GRID + ORDER, generator=g)
        state[part + "spline_scaler"] = torch.randn(outs, ins, generator=g)
        state[part + "spline_selector"] = (torch.rand(outs, ins, generator=g) < 0.8).float()
        state[part + "grid"] = knots.expand(ins, -1).contiguous()
        state[f"{part}output_quantizer.{QUANT}"] = -torch.rand((), generator=g) - 1
    return {"epoch": 3, "model_state_dict": state, "val_accuracy": 0.7}


def config():
    return {
        "layers": LAYERS, "layers_bitwidth": BITS, "grid_range": [-2, 2], "grid_size": GRID,
        "spline_order": ORDER, "base_activation": "nn.SiLU",
    }  # fmt: skip


def save(folder, content, settings=None):
    path = folder / "kan.pt"
    torch.save(content, path)
    (folder / "config.json").write_text(json.dumps(settings or config()))
    return path


def forward(content, x):
    """The network in float64 with splines of scipy; rows near a rounding boundary may differ."""
    state = {k: v.double().numpy() for k, v in content["model_state_dict"].items()}
    gain = state[NORM + "weight"] / np.sqrt(state[NORM + "running_var"] + 1e-5)
    y = (x.astype(np.float64) - state[NORM + "running_mean"]) * gain + state[NORM + "bias"]
    y = (y - 0.2) / (2.1 / 8)
    near = (np.abs(y % 1 - 0.5) < 1e-3).any(1)
    value = np.clip(np.rint(y), -8, 7) * (2.1 / 8)
    for layer in range(2):
        base, spline, scaler, selector, grid = (
            state[f"layers.{layer}.{name}"]
            for name in ("base_weight", "spline_weight", "spline_scaler", "spline_selector", "grid")
        )
        half = 1 << BITS[layer + 1] - 1
        step = abs(state[f"layers.{layer}.output_quantizer.{QUANT}"]) / half
        codes = np.zeros((len(x), len(base)))
        for i in range(value.shape[1]):
            v = value[:, i]
            parts = [
                BSpline.basis_element(grid[i, k : k + ORDER + 2], extrapolate=False)(v)
                for k in range(GRID + ORDER)
            ]
            curve = np.nan_to_num(np.array(parts).T) @ (spline[:, i] * scaler[:, i, None]).T
            total = (v / (1 + np.exp(-v)))[:, None] * base[:, i]
            total = (total + curve) * selector[:, i] / step
            near |= (np.abs(total % 1 - 0.5) < 1e-3).any(1)
            codes += np.clip(np.rint(total), -half, half - 1)
        codes = np.clip(codes, -half, half - 1)
        value = codes * step
    return codes.astype(int), near


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000))
def test_the_network_is_the_model(tmp_path_factory, seed):
    content = model(seed)
    path = save(tmp_path_factory.mktemp("kanele"), content)
    net = nnlogic.load(path)
    rows = (np.random.default_rng(seed).normal(size=(400, 3)) * 2).astype(np.float32)
    expected, near = forward(content, rows)
    assert near.mean() < 0.3
    out = net.evaluate(net.encode(rows))
    np.testing.assert_array_equal(out[~near, :-1], expected[~near])
    verdict = first_rung(net).check(net, path, 60)()
    assert (verdict.equal, verdict.how) == (True, "sampled n=4096"), verdict.detail


def test_splines_are_those_of_scipy():
    knots = np.arange(-5, 12).astype(np.float32) / 2
    x = np.linspace(0.1, 2.4, 50).astype(np.float32)
    for order in (0, 1, 3, 5):
        found = bases(x, knots, order)
        wanted = BSpline.design_matrix(x.astype(float), knots.astype(float), order).toarray()
        np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_activations_are_those_of_torch():
    x = np.linspace(-6, 6, 101)
    for name, function in ACTIVATIONS.items():
        wanted = getattr(torch.nn, name.removeprefix("nn."))()(torch.from_numpy(x)).numpy()
        np.testing.assert_allclose(function(x), wanted, atol=1e-12)


def test_features_that_fall_or_stand_still(tmp_path):
    content = model(negative=True)
    content["model_state_dict"][NORM + "weight"][2] = 0
    path = save(tmp_path, content)
    net = nnlogic.load(path)
    assert len(net.quantizer.thresholds[1]) == 15
    assert len(net.quantizer.thresholds[2]) == 0
    assert check_kanele(net, path).equal
    tables = nnlogic.tabulate(net)
    assert nnlogic.check(tables, nnlogic.minimize(tables, effort="fast")).how != ""


def test_rows_before_and_after_the_scaler(tmp_path):
    content = {**model(2), "scaler_mean_": [1.0, 2.0, -3.0], "scaler_scale_": [2.0, 0.5, 7.0]}
    path = save(tmp_path, content)
    raw, standardized = nnlogic.load(path), nnlogic.load(path, read="rows=standardized")
    rows = np.random.default_rng(0).normal(size=(300, 3))
    wide = rows * [2.0, 0.5, 7.0] + [1.0, 2.0, -3.0]
    one = raw.evaluate(raw.encode(wide.astype(np.float32)))
    other = standardized.evaluate(standardized.encode(rows.astype(np.float32)))
    assert (one == other).all(axis=1).mean() > 0.98
    for net in (raw, standardized):
        assert check_kanele(net, path).equal
    assert raw.info["rows"] == "raw"


@pytest.mark.parametrize(
    "name", ["layers.0.base_weight", "layers.1.spline_weight", "layers.1.spline_selector",
             f"input_layer.{QUANT}", NORM + "bias"],
)  # fmt: skip
def test_a_changed_model_is_found(tmp_path, name):
    content = model(3)
    net = nnlogic.load(save(tmp_path, content))
    content["model_state_dict"][name] = 1 - content["model_state_dict"][name]
    assert not check_kanele(net, save(tmp_path, content)).equal


def changed(name, value):
    return lambda content, config: content["model_state_dict"].update({name: value})


def configured(**more):
    return lambda content, config: config.update(more)


BROKEN = {
    "missing": lambda content, config: content["model_state_dict"].pop("layers.0.base_weight"),
    "no state": lambda content, config: content.pop("model_state_dict"),
    "extra": changed("other", torch.zeros(1)),
    "layer": changed("layers.7.grid", torch.zeros(1)),
    "shape": changed("layers.0.base_weight", torch.zeros(2, 2)),
    "nan": changed(NORM + "bias", torch.full((3,), torch.nan)),
    "variance": changed(NORM + "running_var", -torch.ones(3)),
    "scale": changed(f"input_layer.{QUANT}", torch.tensor(0.0)),
    "selector": changed("layers.0.spline_selector", torch.full((4, 3), 0.5)),
    "knots": changed("layers.0.grid", torch.zeros(3, 13)),
    "few knots": changed("layers.0.grid", torch.zeros(3, 2)),
    "code": configured(base_activation="__import__('os').system('touch ran')"),
    "activation": configured(base_activation=3),
    "order": configured(spline_order=99),
    "other order": configured(spline_order=4),
    "widths": configured(layers=[3, 4, 3]),
    "short": configured(layers_bitwidth=[4, 4]),
    "wide": configured(layers_bitwidth=[4, 4, 99]),
    "many": configured(layers=[10**9, 4, 2]),
    "scaler": lambda content, config: content.update(scaler_mean_=[1.0], scaler_scale_=[0.0]),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_wrong_is_named(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    content, settings = model(), config()
    BROKEN[name](content, settings)
    with pytest.raises(NNLogicError) as caught:
        nnlogic.load(save(tmp_path, content, settings))
    assert "kan.pt" in caught.value.text()
    assert caught.value.exit_code == 3
    assert not (tmp_path / "ran").exists()


def test_files_cut_short_or_without_configuration(tmp_path):
    path = save(tmp_path, model())
    (tmp_path / "config.json").unlink()
    with pytest.raises(NNLogicError, match=r"no config\.json"):
        nnlogic.load(path)
    save(tmp_path, model())
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(NNLogicError, match=r"kan\.pt"):
        nnlogic.load(path)
