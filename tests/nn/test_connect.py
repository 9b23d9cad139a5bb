"""Connections: the fan-in holds exactly, patterns are as documented, learning finds the wires."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nnlogic.core.errors import UsageError
from nnlogic.model.layer import LayerSpec
from nnlogic.nn import SparseLinear
from nnlogic.nn.connect import (
    Learned,
    balanced_wires,
    connect,
    fan_in_of,
    kept,
    mask_of,
    periodic_wires,
    strongest,
    support_wires,
)
from nnlogic.nn.stack import Stack


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


ANY_FAN_IN = ("random", "periodic", "learned")
sizes = st.tuples(st.integers(1, 40), st.integers(1, 30), st.integers(1, 6)).filter(
    lambda s: s[2] <= s[0]
)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(ANY_FAN_IN), sizes, st.integers(0, 99))
def test_every_output_reads_exactly_fan_in_different_wires(kind, size, seed):
    inputs, outputs, fan_in = size
    module = connect(kind, inputs, outputs, fan_in, seeded(seed))
    wires = module.wires()
    assert wires.shape == (outputs, fan_in)
    assert all(len(set(row)) == fan_in for row in wires.tolist())
    assert wires.min() >= 0
    assert wires.max() < inputs
    x = torch.randn(3, inputs, generator=seeded(seed))
    assert torch.equal(module(x), x[:, wires])
    assert torch.equal(mask_of(wires, inputs).sum(1), torch.full((outputs,), float(fan_in)))
    again = connect(kind, inputs, outputs, fan_in, seeded(seed))
    assert torch.equal(again.wires(), wires)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(ANY_FAN_IN), sizes)
def test_the_gradient_of_the_values_is_that_of_indexing(kind, size):
    inputs, outputs, fan_in = size
    module = connect(kind, inputs, outputs, fan_in, seeded())
    x = torch.randn(5, inputs, generator=seeded(1), requires_grad=True)
    g = torch.randn(5, outputs, fan_in, generator=seeded(2))
    (got,) = torch.autograd.grad((module(x) * g).sum(), x)
    (want,) = torch.autograd.grad((x[:, module.wires()] * g).sum(), x)
    torch.testing.assert_close(got, want)


def test_wires_that_are_loaded_have_their_own_gradient():
    one, two = (connect("random", 9, 6, 3, seeded(s)) for s in (0, 1))
    two.load_state_dict(one.state_dict())
    assert torch.equal(two.wires(), one.wires())
    x = torch.randn(4, 9, generator=seeded(), requires_grad=True)
    g = torch.randn(4, 6, 3, generator=seeded(2))
    got, want = (torch.autograd.grad((m(x) * g).sum(), x)[0] for m in (two, one))
    assert torch.equal(got, want)


@settings(max_examples=60, deadline=None)
@given(sizes, st.integers(0, 99))
def test_random_wires_are_balanced(size, seed):
    inputs = size[0]
    used = mask_of(balanced_wires(*size, seeded(seed)), inputs).sum(0)
    assert used.max() - used.min() <= 1


@settings(max_examples=60, deadline=None)
@given(sizes)
def test_the_periodic_pattern_is_the_documented_one(size):
    inputs, outputs, fan_in = size
    wires = periodic_wires(inputs, outputs, fan_in)
    period = math.ceil(inputs / fan_in)
    golden = inputs / ((1 + math.sqrt(5)) / 2)
    coprime = [s for s in range(1, inputs + 1) if math.gcd(s, inputs) == 1]
    stride = min(coprime, key=lambda s: abs(s - golden))
    for j in range(outputs):
        want = sorted(((j % period) * fan_in + i) * stride % inputs for i in range(fan_in))
        assert wires[j].tolist() == want
    if outputs >= period:
        assert set(wires[:period].reshape(-1).tolist()) == set(range(inputs))


def test_periodic_patterns_repeat_and_read_all_inputs_equally():
    wires = periodic_wires(16, 12, 4)
    assert torch.equal(wires[:4], wires[4:8])
    assert torch.equal(wires[:4], wires[8:])
    assert mask_of(wires, 16).sum(0).tolist() == [3.0] * 16
    assert torch.equal(periodic_wires(16, 6, 4, period=2)[::2], wires[[0, 0, 0]])


def test_supports_repeat_within_and_across_filters():
    taps, channels, size = 9, 4, 2
    wires = support_wires(taps, channels, 12, size)
    patterns = periodic_wires(taps, 5, size).tolist()
    assert {tap for pattern in patterns for tap in pattern} == set(range(taps))
    for j, row in enumerate(wires.tolist()):
        for c in range(channels):
            assert [w // channels for w in row if w % channels == c] == patterns[(j + c) % 5]
    assert torch.equal(wires[:5], wires[5:10])
    assert not torch.equal(wires[0], wires[1])
    made = connect("support", taps * channels, 12, size * channels, channels=channels)
    assert torch.equal(made.wires(), wires)
    assert made.period == 5


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 4), st.integers(1, 5), st.integers(0, 3), st.integers(1, 6), st.integers(0, 9)
)
def test_every_output_reads_n_of_m_consecutive_wires(n, groups, more, outputs, seed):
    m = n + more
    inputs, text = m * groups, f"{n}:{m}"
    assert fan_in_of(text, inputs, 0) == n * groups
    module = connect(text, inputs, outputs, n * groups, seeded(seed))
    mask = mask_of(module.wires(), inputs)
    assert (mask.view(outputs, groups, m).sum(2) == n).all()
    layer = SparseLinear(inputs, outputs, n * groups, groups=groups, generator=seeded(seed))
    for progress in (0.3, 1.0):
        layer.prune(progress)
        left = layer.mask.view(outputs, groups, m).sum(2)
        assert (left == kept(progress, m, n)).all()
    best = layer.weight.abs().view(outputs, groups, m).topk(n).indices
    assert torch.equal(torch.zeros(outputs, groups, m).scatter(2, best, 1.0).view_as(layer.mask),
                       layer.mask)  # fmt: skip


def test_learned_wires_of_groups_get_the_gradient_of_the_softmax_in_their_group():
    module = connect("2:3", 6, 2, 4, seeded())
    g = torch.randn(7, 2, 4, generator=seeded(2))
    x = torch.randn(7, 6, generator=seeded(1))
    (got,) = torch.autograd.grad((module(x) * g).sum(), module.logits)
    share = (4 * module.logits).softmax(-1).view(2, 2, 2, 3)
    mixed = torch.einsum("bgi,ogsi->bogs", x.view(7, 2, 3), share).flatten(2)
    (want,) = torch.autograd.grad((mixed * g).sum(), module.logits)
    torch.testing.assert_close(got, want)


def test_learned_wires_get_the_gradient_of_the_softmax_and_no_offset_matters():
    module = Learned(5, 2, 2, seeded())
    g = torch.randn(7, 2, 2, generator=seeded(2))
    x = torch.randn(7, 5, generator=seeded(1))
    (got,) = torch.autograd.grad((module(x) * g).sum(), module.logits)
    # The same as through a soft mixture of all wires, by autograd.
    mixed = torch.einsum("bi,ofi->bof", x, (4 * module.logits).softmax(-1))
    (want,) = torch.autograd.grad((mixed * g).sum(), module.logits)
    torch.testing.assert_close(got, want)
    (moved,) = torch.autograd.grad((module(x - 0.5) * g).sum(), module.logits)
    torch.testing.assert_close(moved, want, atol=1e-5, rtol=1e-4)


def test_learned_wires_choose_the_largest_logit_that_is_left():
    module = Learned(4, 1, 3)
    module.logits.data = torch.tensor([[[0.0, 5, 1, 2], [0, 9, 4, 3], [0, 9, 8, 1]]])
    assert module.wires().tolist() == [[1, 2, 3]]
    module.anneal(0.5)
    assert module.logits.requires_grad
    module.anneal(0.9)
    assert not module.logits.requires_grad


def planted(rows=800, inputs=24):
    """The class is the majority of inputs 3, 11 and 17; all others are noise."""
    x = torch.randint(0, 2, (rows, inputs), generator=seeded(4)) * 2.0 - 1
    return x, (x[:, [3, 11, 17]].sum(1) > 0).long()


def test_learned_connectivity_finds_the_informative_wires():
    x, y = planted()
    module = Learned(24, 1, 3, seeded(1))
    assert set(module.wires()[0].tolist()) != {3, 11, 17}
    optimizer = torch.optim.Adam(module.parameters(), 0.1)
    for _ in range(80):
        score = module(x)[:, 0].sum(1)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(score, y.float())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert set(module.wires()[0].tolist()) == {3, 11, 17}


def informative(kind):
    """Train a network on the planted problem; its slots that read one of the three inputs."""
    x, y = planted()
    names = tuple(f"x{i}" for i in range(24))
    hidden = LayerSpec("hidden", 10, "poly", 3, "rebnet", 2, connect=kind)
    score = LayerSpec("score", 2, "poly", 6, "codebook", 2, options={"degree": 1})
    stack = Stack("n", names, ("a", "b"), (1,) * 24, (hidden, score), seed=2).train()
    optimizer = torch.optim.Adam(stack.parameters(), 0.05)
    for _ in range(80):
        loss = torch.nn.functional.cross_entropy(stack.scores((x > 0).long()), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return sum(wire in (3, 11, 17) for wire in stack.families[0].connect.wires().flatten().tolist())


def test_in_a_network_learned_connections_move_to_what_matters():
    assert informative("learned") >= 2 * informative("random") > 0


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 30), st.integers(1, 30), st.floats(-0.5, 1.5))
def test_the_pruning_schedule_ends_at_the_fan_in(inputs, fan_in, progress):
    fan_in = min(fan_in, inputs)
    count = kept(progress, inputs, fan_in)
    assert fan_in <= count <= inputs
    assert kept(0.0, inputs, fan_in) == inputs
    assert kept(1.0, inputs, fan_in) == fan_in
    assert kept(min(progress + 0.1, 2.0), inputs, fan_in) <= count


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_the_strongest_connections_are_kept_and_none_comes_back(data):
    weight = torch.tensor(
        data.draw(st.lists(st.lists(st.integers(-3, 3), min_size=8, max_size=8), min_size=1))
    ).float()
    mask = strongest(weight, torch.ones_like(weight), 5)
    assert mask.sum(1).tolist() == [5.0] * len(weight)
    for row, own in zip(weight.abs(), mask, strict=True):
        assert row[own == 1].min() >= row[own == 0].max()
    fewer = strongest(weight.flip(1), mask, 3)
    assert torch.all(fewer <= mask)
    assert fewer.sum(1).tolist() == [3.0] * len(weight)


def test_random_masks_of_sparse_layers_come_from_the_same_place():
    layer = SparseLinear(16, 8, fan_in=4, random_mask=True, generator=seeded(1))
    assert torch.equal(layer.mask, mask_of(balanced_wires(16, 8, 4, seeded(1)), 16))


def test_connections_that_cannot_be_are_refused():
    with pytest.raises(UsageError, match="'mesh'"):
        connect("mesh", 4, 4, 2)
    with pytest.raises(UsageError, match="5 of 4 wires"):
        connect("random", 4, 4, 5)
    with pytest.raises(UsageError, match="linear sums only"):
        connect("pruned", 4, 4, 2)
    with pytest.raises(UsageError, match="3:4 of 10 wires"):
        connect("3:4", 10, 4, 2)
    with pytest.raises(UsageError, match="0:4 of 8 wires"):
        connect("0:4", 8, 4, 2)
    with pytest.raises(UsageError, match="fan_in 3, but 1:4 of 8 wires are 2"):
        connect("1:4", 8, 4, 3)
    with pytest.raises(UsageError, match="in a layer that reads none"):
        connect("support", 9, 4, 2)
    with pytest.raises(UsageError, match="fan_in 5 in 2 channels"):
        connect("support", 18, 4, 5, channels=2)
    with pytest.raises(UsageError, match="fan_in 1 in 2 channels"):
        connect("support", 18, 4, 1, channels=2)
