"""Quantizers as people write them: scales that are parameters, straight-through forms, signs."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import nnlogic
from nnlogic.checks.inputs.pt2 import check_archive
from nnlogic.core.errors import UnsupportedModel
from nnlogic.frontend.graph.apart import apart
from nnlogic.frontend.graph.straight_through import STRAIGHT_THROUGH
from nnlogic.frontend.graph.values import Pending, Sums


def through(x, q):
    return x + (q - x).detach()


def round_ste(x):
    return (torch.round(x) - x).detach() + x


class RoundFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return torch.round(x)

    @staticmethod
    def backward(ctx, grad):
        return grad


class Base(nn.Module):
    """Scales that are parameters and buffers, none a power of two; one per channel for weights."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(1)
        self.fc1, self.fc2, self.norm = nn.Linear(5, 6), nn.Linear(6, 3), nn.BatchNorm1d(6)
        self.norm.running_mean.normal_()
        self.norm.running_var.uniform_(0.4, 2)
        self.x_scale = nn.Parameter(torch.tensor(0.13))
        self.register_buffer("h_scale", torch.tensor(0.21))
        self.w_scale = nn.Parameter(torch.rand(6, 1) * 0.1 + 0.05)
        self.register_buffer("o_scale", torch.tensor(0.07))
        with torch.no_grad():
            self.fc2.weight.normal_(0, 0.3)
            self.fc2.bias.copy_(torch.tensor([0.013, -0.021, 0.008]))

    def q(self, x, scale, lo, hi):
        return torch.clamp(torch.round(x / scale), lo, hi) * scale

    def weight(self):
        return self.q(self.fc1.weight, self.w_scale, -7, 7)

    def hidden(self, x):
        return self.norm(functional.linear(x, self.weight()))

    def scores(self, h):
        return functional.linear(h, self.q(self.fc2.weight, self.o_scale, -7, 7), self.fc2.bias)

    def forward(self, x):
        x = self.q(x, self.x_scale, -8, 7)
        return self.scores(self.q(torch.relu(self.hidden(x)), self.h_scale, 0, 3)).argmax(1)


class StraightThrough(Base):
    def weight(self):
        return through(self.fc1.weight, super().weight())

    def forward(self, x):
        x = through(x, self.q(x, self.x_scale, -8, 7))
        y = torch.relu(self.hidden(x))
        return self.scores(through(y, self.q(y, self.h_scale, 0, 3))).argmax(1)


class RoundThrough(Base):
    def q(self, x, scale, lo, hi):
        return torch.clamp(round_ste(x / scale), lo, hi) * scale


class Function(Base):
    def q(self, x, scale, lo, hi):
        return torch.clamp(RoundFunction.apply(x / scale), lo, hi) * scale


class LearnedStep(Base):
    """LSQ: steps of either sign, clamped before they are rounded."""

    def q(self, x, scale, lo, hi):
        step = scale.abs() + 1e-6
        return round_ste((x / step).clamp(lo, hi)) * step


class ZeroPoint(Base):
    def q(self, x, scale, lo, hi):
        zero = 3.0
        return (torch.clamp(torch.round(x / scale) + zero, lo + zero, hi + zero) - zero) * scale


class BiasOnGrid(Base):
    def hidden(self, x):
        step = self.x_scale * self.w_scale.squeeze()
        return functional.linear(x, self.weight(), torch.round(self.fc1.bias / step) * step)


class SignThrough(Base):
    def forward(self, x):
        y = self.hidden(self.q(x, self.x_scale, -8, 7))
        return self.scores(through(y.clamp(-1, 1), torch.sign(y))).argmax(1)


class ScaledSigns(Base):
    """XNOR-Net: signs of weights times the mean of their magnitudes, per channel."""

    def weight(self):
        w = self.fc1.weight
        return torch.sign(w) * w.abs().mean(1, keepdim=True)

    def forward(self, x):
        h = torch.sign(self.hidden(self.q(x, self.x_scale, -8, 7)))
        return functional.linear(h, torch.sign(self.fc2.weight), self.fc2.bias).max(1)[1]


class DoReFa(Base):
    def weight(self):
        w = torch.tanh(self.fc1.weight)
        w = w / (2 * w.abs().max()) + 0.5
        return 2 * (torch.round(w * 7) / 7) - 1

    def forward(self, x):
        x = torch.round(x.clamp(0, 1) * 7) / 7
        return self.scores(torch.round(self.hidden(x).clamp(0, 1) * 3) / 3).argmax(1)


class CodesOut(Base):
    def forward(self, x):
        y = self.scores(self.q(torch.relu(self.hidden(self.q(x, self.x_scale, -8, 7))),
                               self.h_scale, 0, 3))  # fmt: skip
        return self.q(y, self.w_scale[0], -16, 15)


class CodesOutThrough(StraightThrough):
    def forward(self, x):
        x = through(x, self.q(x, self.x_scale, -8, 7))
        y = torch.relu(self.hidden(x))
        y = self.scores(through(y, self.q(y, self.h_scale, 0, 3)))
        return through(y, self.q(y, self.w_scale[0], -16, 15))


class Choices(Base):
    """Clamps as choices with bounds of another type, and powers of bit widths, as Brevitas has."""

    def q(self, x, scale, lo, hi):
        low, high = torch.tensor(float(lo)), torch.pow(2.0, torch.tensor(4.0)) - 16 + hi
        y = torch.round(x.div(scale.type_as(x)))
        y = torch.where(y > high, high.type_as(y), y)
        return torch.where(y < low, low.type_as(y), y) * scale


class TwoComparisons(Base):
    """Signs of features, weights and sums as Brevitas writes them, clamped to the scale before."""

    opposite = torch.lt

    def sign(self, x, scale):
        least = -scale
        x = torch.where(x > scale, scale.type_as(x), x)
        x = torch.where(x < least, least.type_as(x), x)
        return (torch.ge(x, 0.0).to(x.dtype) - self.opposite(x, 0.0).to(x.dtype)) * scale

    def weight(self):
        return self.sign(self.fc1.weight, torch.clamp_min(self.o_scale.abs() * 10, 1e-10))

    def forward(self, x):
        h = self.sign(self.hidden(self.sign(x, torch.tensor(1.0))), torch.tensor(1.0))
        w = self.sign(self.fc2.weight, torch.tensor(1.0))
        return functional.linear(h, w, self.fc2.bias).argmax(1)


class SignsOut(TwoComparisons):
    def forward(self, x):
        one = torch.tensor(1.0)
        h = self.sign(self.hidden(self.sign(x, one)), one)
        return self.sign(functional.linear(h, self.sign(self.fc2.weight, one), self.fc2.bias), one)


class ThreeLevels(TwoComparisons):
    """A difference of comparisons that are not opposite: both count."""

    opposite = torch.le


KINDS = (
    Choices, TwoComparisons, SignsOut, ThreeLevels,
    Base, StraightThrough, RoundThrough, Function, LearnedStep, ZeroPoint, BiasOnGrid, SignThrough,
    ScaledSigns, DoReFa, CodesOut, CodesOutThrough,
)  # fmt: skip
THROUGH = {StraightThrough, RoundThrough, LearnedStep, SignThrough, CodesOutThrough}


@pytest.fixture(scope="module")
def rows():
    return torch.randn(200, 5, generator=torch.Generator().manual_seed(4))


@pytest.mark.parametrize("kind", KINDS)
def test_the_module_is_read_bit_for_bit(kind, rows):
    module = kind().eval()
    net = nnlogic.from_torch(module, rows)
    assert bool(net.info.get(STRAIGHT_THROUGH)) == (kind in THROUGH)
    with torch.no_grad():
        theirs = module(rows)
    got = net.evaluate(net.encode(rows.numpy()))
    if theirs.dim() == 1:
        assert (got[:, 0] == theirs.numpy()).all()
        assert len(set(got[:, 0])) > 1
        return
    for port, meaning in enumerate(net.info["outputs"]):
        if "step" in meaning:
            assert (got[:, port] * meaning["step"] == theirs[:, port].numpy()).all()
            continue
        levels = np.array(meaning["levels"])
        assert np.abs(levels[got[:, port]] - theirs[:, port].numpy()).max() < 1e-5


def test_a_sign_of_two_comparisons_compares_a_sum_once(rows):
    net = nnlogic.from_torch(TwoComparisons().eval(), rows)
    assert [layer.kind for layer in net.layers] == ["Linear", "Linear", "Argmax"]
    other = nnlogic.from_torch(ThreeLevels().eval(), rows)
    assert [layer.kind for layer in other.layers][-3:] != ["Linear", "Linear", "Argmax"]


@pytest.mark.parametrize(
    "kind", [StraightThrough, CodesOutThrough, ScaledSigns, Choices, TwoComparisons]
)
def test_archives_are_compared_with_torch(kind, rows, tmp_path):
    path = tmp_path / "m.pt2"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.export.save(torch.export.export(kind().eval(), (rows[:16],)), path)
    net = nnlogic.load(path)
    assert check_archive(net, path).equal
    # A fault in the network shows, straight-through or not.
    first = net.layers[0]
    layers = (replace(first, weights=-first.weights), *net.layers[1:])
    assert not check_archive(replace(net, layers=layers), path).equal


def test_scores_that_may_tie_are_refused(rows):
    class Ties(Base):
        def scores(self, h):
            return functional.linear(h, self.q(self.fc2.weight, self.o_scale, -7, 7))

    with pytest.raises(UnsupportedModel, match="equal up to what torch rounds") as error:
        nnlogic.from_torch(Ties().eval(), rows)
    assert "a bias of its own" in str(error.value)


def scores(unit, offset, error):
    n = len(unit)
    base = Sums(
        torch.float32, (n,), [0, 1], np.array([[1, 2]] * n), np.array(unit), np.array(offset),
        np.array(error), np.zeros(n, np.int64), np.full(n, 9),
    )  # fmt: skip
    return Pending(base, torch.arange(n)[None], lambda t: t), base


def test_scores_apart_keep_their_order_and_others_are_not_decided():
    unit, offset = [0.1, 0.1, 0.13], [0.0, 0.033, -0.051]
    x, base = scores(unit, offset, [1e-5] * 3)
    found = apart(x)
    assert found is not None
    whole = [found.base.unit[k] * np.arange(9) + found.base.offset[k] for k in range(3)]
    real = [base.unit[k] * np.arange(9) + base.offset[k] for k in range(3)]
    for a in range(3):
        for b in range(3):
            if a != b:
                mine, own = (
                    np.subtract.outer(real[a], real[b]),
                    np.subtract.outer(whole[a], whole[b]),
                )
                assert (np.sign(mine) == np.sign(own)).all()
    assert (found.base.unit == np.rint(found.base.unit)).all()
    assert apart(scores(unit, offset, [2e-2] * 3)[0]) is None
    assert apart(scores([0.1, 0.1], [0.0, 0.3], [1e-6] * 2)[0]) is None
    assert apart(scores([0.5, 0.5], [0.0, 0.5], [0.0] * 2)[0]) is not None
    # Of a network that has collapsed, scores are constants.
    constant = apart(scores([0.0, 0.0], [0.3, -0.2], [1e-6] * 2)[0])
    assert constant is not None
    assert constant.base.offset[0] > constant.base.offset[1]


def test_other_differences_are_no_forms(rows):
    """A sum that only looks like one is computed as it stands."""

    class Other(Base):
        def forward(self, x):
            x = self.q(x, torch.tensor(0.125), -8, 7)
            h = torch.sign(self.hidden(x))
            g = torch.round(h * 2 + (torch.sign(self.norm(h)) - h).detach())
            return functional.linear(g, torch.sign(self.fc2.weight), self.fc2.bias).argmax(1)

    module = Other().eval()
    net = nnlogic.from_torch(module, rows)
    assert STRAIGHT_THROUGH not in net.info
    with torch.no_grad():
        assert (net.evaluate(net.encode(rows.numpy()))[:, 0] == module(rows).numpy()).all()
