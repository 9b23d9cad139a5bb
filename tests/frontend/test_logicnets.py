"""Checkpoints of LogicNets: masks, scales and decisions as the format has them."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import nnlogic
from nnlogic.checks.inputs import first_rung
from nnlogic.checks.inputs.logicnets import check_logicnets
from nnlogic.core.errors import CheckpointError, NNLogicError, UnsupportedModel, UsageError

SCALE = "brevitas_module.act_quant_proxy.fused_activation_quant_proxy.tensor_quant.scaling_impl"
FAN_IN = 3


def model(seed=0, widths=(6, 5, 4, 3)):
    g = torch.Generator().manual_seed(seed)
    state = {}
    for layer, (ins, outs) in enumerate(pairwise(widths)):
        part = f"module_list.{layer}"
        mask = torch.zeros(outs, ins)
        for row in mask:
            row[torch.randperm(ins, generator=g)[:FAN_IN]] = 1
        state[f"{part}.fc.weight"] = torch.randn(outs, ins, generator=g)
        state[f"{part}.fc.bias"] = torch.randn(outs, generator=g) * 0.3
        state[f"{part}.fc.mask.mask"] = mask
        quant = {
            f"{SCALE}.learned_value": torch.rand((), generator=g),
            "pre_transforms.0.weight": torch.randn(outs, generator=g),
            "pre_transforms.0.bias": torch.randn(outs, generator=g) * 0.3,
            "pre_transforms.0.running_mean": torch.randn(outs, generator=g) * 0.3,
            "pre_transforms.0.running_var": torch.rand(outs, generator=g),
            "pre_transforms.0.num_batches_tracked": torch.tensor(7),
        }
        for name, value in quant.items():
            state[f"{part}.output_quant.{name}"] = value
            if layer + 2 < len(widths):
                state[f"module_list.{layer + 1}.input_quant.{name}"] = value
    state[f"{part}.output_quant.post_transforms.0.weight"] = torch.tensor([4.2])
    state[f"{part}.output_quant.post_transforms.0.bias"] = torch.tensor([0.3])
    return state


def save(folder, state, **more):
    path = folder / "model.pth"
    content = {"model_dict": state, "test_accuracy": 99.0, **more}
    torch.save(content, path, _use_new_zipfile_serialization=False)
    return path


def forward(state, x, bits):
    """The network in torch, in float64: rows near a rounding boundary may differ."""
    first, hidden, last = ((1 << b) - 1 for b in bits)
    x = (x.double() * first).round().clamp(0, first) / first
    layers = 1 + max(int(name.split(".")[1]) for name in state)
    near = torch.zeros(len(x), dtype=torch.bool)
    for layer in range(layers):
        part = f"module_list.{layer}."
        get = {k.removeprefix(part): v.double() for k, v in state.items() if k.startswith(part)}
        y = torch.nn.functional.linear(x, get["fc.weight"] * get["fc.mask.mask"], get["fc.bias"])
        norm = [get[f"output_quant.pre_transforms.0.{n}"] for n in
                ("running_mean", "running_var", "weight", "bias")]  # fmt: skip
        y = torch.nn.functional.batch_norm(y, *norm)
        scale = 2 ** get[f"output_quant.{SCALE}.learned_value"]
        half = (last + 1) // 2
        scale = scale / (half if layer + 1 == layers else hidden)
        low, high = (-half, half - 1) if layer + 1 == layers else (0, hidden)
        near |= ((y / scale - 0.5) % 1 < 1e-4).any(1) | ((y / scale - 0.5) % 1 > 1 - 1e-4).any(1)
        codes = (y / scale).round().clamp(low, high)
        x = codes * scale
    return (codes + half).long().numpy(), near.numpy()


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([(1, 2, 2), (2, 3, 4), (3, 1, 1)]))
def test_the_network_is_the_model(tmp_path_factory, seed, bits):
    path = save(tmp_path_factory.mktemp("logicnets"), model(seed))
    net = nnlogic.load(path, read="bits=" + "/".join(map(str, bits)))
    rows = torch.rand(500, 6, generator=torch.Generator().manual_seed(seed)) * 1.4 - 0.2
    expected, near = forward(model(seed), rows, bits)
    assert near.mean() < 0.1
    out = net.evaluate(net.encode(rows.numpy()))
    np.testing.assert_array_equal(out[~near, :-1], expected[~near])
    np.testing.assert_array_equal(out[:, -1], out[:, :-1].argmax(axis=1))
    verdict = first_rung(net).check(net, path, 60)()
    assert (verdict.equal, verdict.how) == (True, "sampled n=2048"), verdict.detail
    assert net.info["format"] == "LogicNets checkpoint"


def test_ties_of_the_input_go_to_even(tmp_path):
    net = nnlogic.load(save(tmp_path, model()), read="bits=2/1/1")
    rows = np.array([[0.5], [np.nextafter(np.float32(0.5), np.float32(0))], [1 / 6], [7], [-3]])
    assert net.encode(np.repeat(rows.astype(np.float32), 6, axis=1))[:, 0].tolist() == [
        2, 1, round(float(np.float32(1 / 6) / np.float32(1 / 3))), 3, 0
    ]  # fmt: skip


def test_decisions_of_one_output(tmp_path):
    state = model(5, widths=(6, 5, 1))
    path = save(tmp_path, state)
    with pytest.raises(CheckpointError, match="how its one output is decided"):
        nnlogic.load(path, read="bits=1/2/2")
    net = nnlogic.load(path, read="bits=1/2/2,decision=threshold:0.75")
    rows = np.random.default_rng(0).random((200, 6)).astype(np.float32)
    y, chosen = net.evaluate(net.encode(rows)).T
    scale = 2 ** float(state[f"module_list.1.output_quant.{SCALE}.learned_value"]) / 2
    chance = 1 / (1 + np.exp(-((y - 2) * scale + 0.3) * 4.2))
    np.testing.assert_array_equal(chosen, chance > 0.75)
    assert 0 < chosen.mean() < 1
    assert check_logicnets(net, path).equal
    net = nnlogic.load(path, read="bits=1/2/2,decision=none")
    assert [p.name for p in net.outputs] == ["y0"]
    assert check_logicnets(net, path).equal


@pytest.mark.parametrize(
    "name", ["fc.weight", "fc.bias", f"output_quant.{SCALE}.learned_value",
             "output_quant.pre_transforms.0.running_mean"],
)  # fmt: skip
def test_a_changed_model_is_found(tmp_path, name):
    state = model(1)
    net = nnlogic.load(save(tmp_path, state), read="bits=2/2/3")
    state[f"module_list.2.{name}"] = state[f"module_list.2.{name}"] + 0.8
    assert not check_logicnets(net, save(tmp_path, state)).equal


def test_compiles(tmp_path):
    net = nnlogic.load(save(tmp_path, model(2)), read="bits=1/2/2")
    tables = nnlogic.tabulate(net)
    assert nnlogic.check(tables, nnlogic.minimize(tables, effort="fast")).how == "proved"


@pytest.mark.parametrize(
    "read", ["bits=1/2", "bits=1/2/99", "bits=a/b/c", "bits=1/2/2,decision=vote",
             "bits=1/2/2,decision=threshold:2", "bits=1/2/2,decision=threshold:0.5"],
)  # fmt: skip
def test_wrong_options_are_named(tmp_path, read):
    with pytest.raises(UsageError, match="--read"):
        nnlogic.load(save(tmp_path, model()), read=read)


def test_what_the_file_does_not_hold_is_asked_for(tmp_path):
    with pytest.raises(CheckpointError, match="widths of its codes") as caught:
        nnlogic.load(save(tmp_path, model()))
    assert "--read bits=" in caught.value.fix


def test_wide_neurons_and_learned_inputs_are_refused(tmp_path):
    with pytest.raises(UnsupportedModel, match="at most 16"):
        nnlogic.load(save(tmp_path, model()), read="bits=8/2/2")
    state = model()
    state["module_list.0.input_quant.pre_transforms.0.weight"] = torch.ones(6)
    with pytest.raises(UnsupportedModel, match="input quantizer has parameters"):
        nnlogic.load(save(tmp_path, state), read="bits=1/2/2")


PART = "module_list.1."
QUANT = PART + "output_quant."
BROKEN = {
    "missing": lambda s: s.pop(PART + "fc.bias"),
    "extra": lambda s: s.update(other=torch.zeros(1)),
    "layer": lambda s: s.update({"module_list.9.fc.weight": torch.zeros(1, 1)}),
    "shape": lambda s: s.update({PART + "fc.weight": torch.zeros(4, 9)}),
    "scalar": lambda s: s.update({PART + "fc.weight": 3.0}),
    "text": lambda s: s.update({PART + "fc.weight": "weights"}),
    "integers": lambda s: s.update({PART + "fc.bias": torch.ones(4, dtype=torch.int32)}),
    "nan": lambda s: s.update({PART + "fc.bias": torch.full((4,), torch.nan)}),
    "mask": lambda s: s.update({PART + "fc.mask.mask": torch.full((4, 5), 2.0)}),
    "empty mask": lambda s: s.update({PART + "fc.mask.mask": torch.zeros(4, 5)}),
    "variance": lambda s: s.update({QUANT + "pre_transforms.0.running_var": -torch.ones(4)}),
    "scale": lambda s: s.update({QUANT + f"{SCALE}.learned_value": torch.tensor(999.0)}),
    "no scale": lambda s: s.pop(QUANT + f"{SCALE}.learned_value"),
    "other scale": lambda s: s.update(
        {PART + f"input_quant.{SCALE}.learned_value": torch.tensor(9.0)}
    ),
    "negative": lambda s: s.update(
        {"module_list.2.output_quant.post_transforms.0.weight": torch.tensor([-1.0])}
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_wrong_is_named(tmp_path, name):
    state = model()
    BROKEN[name](state)
    with pytest.raises(NNLogicError) as caught:
        nnlogic.load(save(tmp_path, state), read="bits=1/2/2")
    assert "model.pth" in caught.value.text()
    assert caught.value.exit_code == 3


def test_files_cut_short_and_code_are_refused(tmp_path):
    path = save(tmp_path, model())
    data = path.read_bytes()
    for size in (len(data) - 50, len(data) // 2):
        path.write_bytes(data[:size])
        with pytest.raises(CheckpointError, match=r"model\.pth"):
            nnlogic.load(path, read="bits=1/2/2")
    path = save(tmp_path, model(), hook=Trap())
    with pytest.raises(CheckpointError, match=r"model\.pth"):
        nnlogic.load(path, read="bits=1/2/2")
    assert not (tmp_path / "ran").exists()


class Trap:
    """Pickles to a call."""

    def __reduce__(self):
        return (open, ("ran", "w"))


def test_parameters_are_tensors_like_any_others(tmp_path):
    state = model()
    path = save(tmp_path, {name: torch.nn.Parameter(v.float()) for name, v in state.items()})
    (tmp_path / "plain").mkdir()
    plain = save(tmp_path / "plain", state)
    nets = [nnlogic.load(at, read="bits=2/2/2") for at in (path, plain)]
    rows = np.random.default_rng(0).random((200, 6), np.float32)
    codes = nets[0].encode(rows)
    assert np.array_equal(nets[0].evaluate(codes), nets[1].evaluate(codes))


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("module_list.0.output_quant.pre_transforms.0.weight", 3e38, "range of float32"),
        ("module_list.2.output_quant.post_transforms.0.bias", 1e30, "equal in float32"),
    ],
)
def test_parameters_that_leave_float32_are_refused(tmp_path, name, value, says):
    state = model()
    state[name] = torch.full_like(state[name], value)
    for key in list(state):
        if key == name.replace("0.output_quant", "1.input_quant"):
            state[key] = state[name]
    with pytest.raises(CheckpointError, match=says):
        nnlogic.load(save(tmp_path, state), read="bits=2/2/2")
