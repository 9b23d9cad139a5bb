"""The LUT cost of stacks: what it says of networks that are compiled, and what training does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

import nnlogic
from nnlogic.core.errors import UnsupportedModel, UsageError
from nnlogic.data import dataset as datasets
from nnlogic.nn import LayerSpec
from nnlogic.nn.gates import either, present, probe_codes, probed_gates, soft_codes
from nnlogic.nn.quantizers import LearnedBits
from nnlogic.nn.stack import Stack
from nnlogic.train import Recipe, train
from nnlogic.train.cost_loss import LutCost, lut_penalty
from nnlogic.train.layered import make_network
from nnlogic.train.recipe_file import parse_recipe

NAMES = tuple(f"x{i}" for i in range(8))


def stack(*specs, bits=2, classes=("a", "b", "c"), seed=0):
    out = Stack("toy", NAMES, classes, (bits,) * 8, specs, seed=seed)
    out.quantizer.set_thresholds((np.arange(1, 1 << bits, dtype=np.float32) - 0.5,) * 8)
    return out


POLY = (
    LayerSpec("one", 12, "poly", 4, activation="learned_bits", bits=3),
    LayerSpec("score", 3, "poly", 3, bits=3),
)


def test_probes_flip_one_bit_that_there_is():
    bits = torch.tensor([[2, 1], [1, 3]])
    rows = probe_codes(bits)
    assert rows.shape[0] == 1 + 2 * 3
    assert (rows < (1 << bits)).all()
    change = rows[1:] ^ rows[:1]
    expected = torch.zeros(2, 3, 2, 2, dtype=torch.int64)
    for wire in range(2):
        for bit in range(3):
            for table in range(2):
                if bit < bits[table, wire]:
                    expected[wire, bit, table, wire] = 1 << bit
    assert (change.reshape(2, 3, -1, 2, 2) == expected[:, :, None]).all()
    assert torch.equal(rows, probe_codes(bits))


def test_probed_gates_see_what_a_function_depends_on():
    bits = torch.full((1, 2), 2)
    rows = probe_codes(bits)[..., 0, :]
    # The top bit of wire 0 and the last bit of wire 1; nothing else matters.
    code = ((rows[..., 0] >> 1) * 2 + (rows[..., 1] & 1)).float()[..., None]
    gates = probed_gates(code, bits)[0]
    assert gates[0, 0] == 0
    assert gates[1, 1] == 0
    assert min(gates[0, 1], gates[1, 0]) > 0.9


def test_soft_codes_know_neither_scale_nor_offset():
    torch.manual_seed(0)
    z, bounds = torch.randn(40, 3, dtype=torch.float64), torch.tensor([[-0.5, 0.5]] * 3)
    z.requires_grad_()
    weight = torch.randn(40, 3, dtype=torch.float64)
    codes = soft_codes(z, bounds.double())
    (codes * weight).sum().backward()
    assert z.grad.abs().max() > 0.1
    np.testing.assert_allclose(z.grad.sum(0), 0, atol=1e-9)
    np.testing.assert_allclose((z.grad * (z - z.mean(0))).sum(0).detach(), 0, atol=1e-6)
    hard = (z[..., None] >= bounds).sum(-1)
    assert (codes - hard).abs().median() < 0.05


def test_one_bit_less_takes_the_last_bit_away():
    size = torch.tensor([3.0, 2.0], requires_grad=True)
    gates = torch.rand(1, 2, 3)
    present(gates, size, torch.tensor([[0, 1]])).sum().backward()
    torch.testing.assert_close(size.grad, gates[0, :, 0])
    assert present(gates, None, torch.tensor([[0, 1]])) is gates


def test_read_by_any():
    parts = [torch.tensor([0.0, 0.5, 1.0]), torch.tensor([0.0, 0.5, 0.2])]
    torch.testing.assert_close(either(parts), torch.tensor([0.0, 0.75, 1.0]))


@pytest.mark.parametrize("family", ["poly", "subnet", "linear", "additive", "kan", "tree"])
def test_cost_is_near_what_is_compiled(family):
    options = {"branches": (2,)} if family == "tree" else {}
    fan_in = 2 if family in ("tree", "additive") else 3
    hidden = LayerSpec("one", 16, family, fan_in, bits=2, options=options)
    net = stack(hidden, LayerSpec("score", 3, "poly", 4, bits=3)).eval()
    with torch.no_grad():
        predicted = float(LutCost(net)()) + 8
    tables = nnlogic.tabulate(net.quantnet(), arith="auto")
    compiled = nnlogic.minimize(tables, effort="fast", jobs=1).n_nodes
    assert compiled / 2 < predicted < 2 * compiled


def test_learned_bits_have_a_price_and_a_gradient():
    net = stack(*POLY).train()
    cost = LutCost(net)
    before = cost()
    before.backward()
    activation = net.families[0].activation
    assert isinstance(activation, LearnedBits)
    read = torch.zeros(12, dtype=torch.bool)
    read[net.families[1].connect.wires().flatten()] = True
    # Fewer bits are always cheaper, where anything reads them.
    assert (activation.raw_bits.grad[read] > 0).all()
    with torch.no_grad():
        activation.raw_bits -= 1
        assert float(cost()) < 0.8 * float(before)


@pytest.fixture(autouse=True)
def toy(monkeypatch):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(900, 5))
    y = (x[:, 0] + x[:, 1] > 0).astype(int) + (x[:, 2] > 0.5)
    names = tuple("abcde"), ("none", "one", "both")
    raw = datasets.Raw(x[:700], y[:700], x[700:], y[700:], *names, "made up")
    known = datasets._sources()
    monkeypatch.setattr(datasets, "_sources", lambda: {**known, "toy": lambda data_dir: raw})


def learned_bits(**more):
    layers = (
        LayerSpec("one", 12, "poly", 3, activation="learned_bits", bits=4),
        LayerSpec("score", 3, "poly", 3, bits=3, connect="learned"),
    )
    return Recipe(
        "toy", "toy", layers, input_bits=3, epochs=14, batch=64,
        float_epochs=0, learning_rate=0.03, **more,
    )  # fmt: skip


def test_training_spends_fewer_bits_under_a_price(tmp_path):
    spent, luts = {}, {}
    for price in (0.0, 3e-3):
        recipe = learned_bits(lut_cost=price)
        result = train(recipe, out=tmp_path / str(price))
        net = nnlogic.load(result.checkpoint)
        spent[price] = [fmt.bits for fmt in net.layers[0].formats]
        luts[price] = result.lut_estimate["total"]
        assert result.accuracy["quantized"] == pytest.approx(result.accuracy["table"], abs=0.01)
    assert np.mean(spent[3e-3]) < np.mean(spent[0.0]) - 0.5
    assert len(set(spent[3e-3])) > 1
    assert luts[3e-3] < 0.7 * luts[0.0]


def test_resumed_with_learned_bits_and_a_price(tmp_path):
    recipe = replace(learned_bits(lut_cost=1e-3), epochs=2)
    whole = train(recipe, out=tmp_path / "a").checkpoint.read_bytes()
    assert train(recipe, out=tmp_path / "a", resume=True).checkpoint.read_bytes() == whole


def test_where_a_price_makes_no_sense_it_is_refused():
    table = {"name": "n", "dataset": "digits", "lut_cost": 1e-3}
    layers = [
        {"name": "enc", "family": "functions", "width": 64, "bits": 1},
        {"name": "fc", "family": "luts", "width": 20},
        {"name": "score", "family": "votes", "width": 10},
    ]
    with pytest.raises(UsageError) as caught:
        parse_recipe({**table, "layers": layers}, "r")
    assert "functions, luts, votes cost the same whatever they learn" in str(
        caught.value.problems[0].why
    )
    layers[1] = {"name": "fc", "family": "poly", "width": 20, "fan_in": 3}
    layers[1] |= {"activation": "sign", "bits": 1}
    recipe = parse_recipe({**table, "layers": layers}, "r")
    assert recipe.lut_cost == 1e-3
    assert lut_penalty(make_network(recipe, NAMES * 8, tuple("abcdefghij")), 0.0) is None
    inner = [{"name": "fc", "family": "luts", "width": 10}]
    layers = [layers[0], {"name": "sum", "family": "ensemble", "width": 10, "layers": inner}]
    with pytest.raises(UsageError, match="not understood"):
        parse_recipe({**table, "layers": layers}, "r")


def test_learned_bits_where_they_cannot_be():
    with pytest.raises(UsageError) as caught:
        stack(LayerSpec("score", 3, "poly", 3, activation="learned_bits"))
    assert "stand for different values" in str(caught.value.problems[0].why)
    for family in ("kan", "additive", "linear"):
        with pytest.raises(UnsupportedModel):
            stack(LayerSpec("one", 3, family, 3, activation="learned_bits"), *POLY[1:])
    with pytest.raises(UnsupportedModel, match="uneven"):
        stack(POLY[0], LayerSpec("score", 3, "linear", connect="pruned"))
