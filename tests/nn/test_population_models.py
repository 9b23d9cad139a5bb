"""LUT-native populations: model, QuantNet and tables agree bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import nnlogic
from nnlogic.nn.population import LutNetwork, LutPopulation, Part, SumPopulation, to_quantnet
from nnlogic.nn.population.functional import ROWS, choose_wires, lookup, multilinear

FEATURES, BITS, CLASSES = 5, 3, 3


def luts(**options):
    centres = torch.rand((FEATURES, 2)) * (1 << BITS)
    return LutPopulation(
        2, FEATURES, BITS, CLASSES, widths=(14, 9), functions=2, centres=centres, **options
    )


def sums(**options):
    shape = {"hidden": 4, "hidden_bits": 3, "shift": 2, **options}
    return SumPopulation(2, FEATURES, BITS, CLASSES, **shape)


def recoded():
    recode = torch.arange(1 << BITS).repeat(FEATURES, 1) // 2
    return sums(recode=recode, code_bits=2, group=2, hidden_group=2)


POPULATIONS = {
    "luts": luts,
    "shared wires": lambda: luts(share=(2, 3), votes=(1, 2, 1)),
    "sums": sums,
    "groups": recoded,
}


def quantnet(model, member):
    thresholds = [np.arange(1, 1 << BITS, dtype=np.float32)] * FEATURES
    return to_quantnet(
        model.network(member),
        name="net",
        features=[f"x{i}" for i in range(FEATURES)],
        classes=[f"c{i}" for i in range(CLASSES)],
        thresholds=thresholds,
        input_bits=BITS,
    )


@pytest.mark.parametrize("name", POPULATIONS)
def test_model_quantnet_and_tables_agree(name):
    torch.manual_seed(3)
    model = POPULATIONS[name]()
    codes = torch.randint(0, 1 << BITS, (500, FEATURES))
    scores = model.hard_scores(codes).numpy().astype(np.int64)
    for member in range(2):
        net = quantnet(model, member)
        out = net.evaluate(codes.numpy())
        offset = out[0, :-1] - scores[member, 0]
        assert (out[:, :-1] - scores[member] == offset[0]).all()
        assert (out[:, -1] == scores[member].argmax(1)).all()
        tables = nnlogic.tabulate(net, arith="auto")
        assert (tables.evaluate(codes.numpy()) == out).all()


def test_compiled_logic_is_the_model():
    torch.manual_seed(5)
    net = quantnet(luts(), 0)
    logic = nnlogic.minimize(nnlogic.tabulate(net, arith="auto"), effort="fast")
    codes = np.random.default_rng(0).integers(0, 1 << BITS, (300, FEATURES))
    assert (logic.evaluate(codes) == net.evaluate(codes)).all()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_interpolation_at_corners_is_the_table(seed):
    generator = torch.Generator().manual_seed(seed)
    tables = torch.rand((1, 3, ROWS), generator=generator)
    wires = torch.randint(0, 2, (1, 3, 6, 40), generator=generator).float()
    assert torch.allclose(multilinear(tables, wires), lookup(tables, wires), atol=1e-6)


@pytest.mark.parametrize("spread", [False, True])
def test_connect_finds_the_wire_that_matters(spread):
    torch.manual_seed(0)
    logits = torch.nn.Parameter(torch.zeros((1, 1, 8)))
    optimizer = torch.optim.Adam([logits], lr=0.1)
    reached = False
    for _ in range(200):
        x = torch.randint(0, 2, (1, 8, 64)).float()
        x.requires_grad_(True)
        loss = (choose_wires(logits, x, spread)[0, 0] - x[0, 5].detach()).square().mean()
        optimizer.zero_grad()
        loss.backward()
        reached |= bool(x.grad.any())
        optimizer.step()
    assert int(logits.argmax()) == 5
    assert reached


@pytest.mark.parametrize("name", POPULATIONS)
def test_gradients_reach_every_parameter(name):
    torch.manual_seed(1)
    model = POPULATIONS[name]()
    codes = torch.randint(0, 1 << BITS, (256, FEATURES), dtype=torch.int32)
    logits = model(codes)
    y = torch.randint(0, CLASSES, (2, 256))
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), y.flatten())
    penalty = model.penalty()
    (loss if penalty is None else loss + 0.01 * penalty.sum()).backward()
    assert [k for k, p in model.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_network_survives_arrays():
    network = recoded().network(1)
    again = LutNetwork.from_arrays(network.to_arrays(), network.labels(), {})
    for a, b in zip(network.parts, again.parts, strict=True):
        assert (a.name, a.role) == (b.name, b.role)
        assert (a.pins == b.pins).all()
        assert (a.tables == b.tables).all()


def test_a_wire_read_twice_and_a_constant_table():
    # Table 0 reads wire 0 on both pins and is x0; table 1 is constant and only moves the score.
    part = Part("edges", "network", np.array([[0, 0], [0, 1]]), np.array([[0, 9, 9, 1], [4] * 4]))
    total = (np.array([[1, 0], [0, 1]]), np.zeros(2, np.int64), 0, 0)
    net = to_quantnet(
        LutNetwork((part,), (total,)),
        name="net",
        features=["a", "b"],
        classes=["p", "q"],
        thresholds=[np.array([0.5], np.float32)] * 2,
        input_bits=1,
    )
    rows = np.array([[0, 0], [1, 0], [0, 1], [1, 1]])
    assert net.evaluate(rows)[:, :2].tolist() == [[0, 4], [1, 4], [0, 4], [1, 4]]
    assert net.stats()["neurons"] == 4
