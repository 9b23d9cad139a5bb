"""Encoders: model = tables for all codes; thresholds stay distinct; learning works."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nnlogic import minimize, tabulate
from nnlogic.core.errors import UnsupportedModel, UsageError
from nnlogic.core.formats import IntFormat, Port
from nnlogic.model.layer import LayerSpec
from nnlogic.nn.codes import Codes, input_codes
from nnlogic.nn.encoders import allocate_bits
from nnlogic.nn.families import make_family
from nnlogic.nn.stack import Stack
from nnlogic.quant.ir import INPUT, QuantNet

BITS = (6, 3, 4)


def encoder(kind, width, bits=1, in_bits=BITS, seed=0, **options):
    spec = LayerSpec("enc", width, kind, 1, bits=bits, role="encoder", options=options)
    return make_family(input_codes(in_bits), spec, torch.Generator().manual_seed(seed))


def values_of(codes, in_bits=BITS):
    x = input_codes(in_bits)
    return x.values[torch.arange(len(in_bits)), codes].to(torch.float32)


def all_codes(in_bits=BITS):
    """Rows that show every code of every feature."""
    rows = torch.arange(1 << max(in_bits))[:, None]
    return rows % (1 << torch.tensor(in_bits))


CASES = {
    "thermometer": {"width": 12},
    "thermometer, counts": {"width": 10, "counts": (3, 7, 0)},
    "functions": {"width": 9},
    "functions, counts": {"width": 4, "counts": (0, 1, 3)},
    "truncate": {"width": 3, "bits": 3},
    "truncate, keep": {"width": 2, "keep": (5, 0, 4)},
}


def shaken(name, seed):
    layer = encoder(name.split(",")[0], **CASES[name], seed=seed)
    g = torch.Generator().manual_seed(seed)
    for p in layer.parameters():
        p.data += 9 * torch.randn(p.shape, generator=g)
    return layer


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("seed", [0, 1])
def test_training_graph_tables_and_layer_are_one_function(name, seed):
    layer, x, codes = shaken(name, seed), input_codes(BITS), all_codes()
    exact = layer.evaluate(codes, x)
    out = layer.output(x)
    assert len(out.bits) == layer.spec.width
    given_values = layer(values_of(codes)).detach()
    columns = torch.arange(len(out.bits))
    assert torch.equal(given_values.double(), out.values[columns, exact])
    (quantized,) = layer.quantized("enc", (INPUT,), x)
    assert quantized.role == "encoder"
    assert all(len(wires) == 1 for wires in quantized.inputs)
    assert quantized.problems(tuple(IntFormat(b) for b in BITS)) == []
    np.testing.assert_array_equal(quantized.evaluate(codes.numpy()), exact.numpy())
    assert quantized.formats == out.formats


def test_a_changed_parameter_changes_the_table():
    layer, x, codes = encoder("thermometer", 3), input_codes(BITS), all_codes()
    before = layer.evaluate(codes, x)
    layer.raw_thresholds.data[0] += 1
    assert not torch.equal(layer.evaluate(codes, x), before)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 7), st.data())
def test_thresholds_in_use_are_distinct_sorted_and_never_constant(low, data):
    counts = (6 + 7 * low, low, 15)
    layer = encoder("thermometer", sum(counts), counts=counts)
    wild = st.floats(-1e6, 1e6, width=32) | st.integers(0, 5).map(float)
    n = sum(counts)
    layer.raw_thresholds.data = (
        torch.tensor(data.draw(st.lists(wild, min_size=n, max_size=n))) / layer.unit
    )
    whole = layer.whole()
    for f, bits in enumerate(BITS):
        own = whole[layer.feature == f].tolist()
        assert own == sorted(set(own))
        assert len(own) == counts[f]
        assert all(1 <= t < 1 << bits for t in own)


def test_thresholds_apart_are_the_ceilings_of_the_learned_ones():
    layer = encoder("thermometer", 4, counts=(3, 0, 1))
    layer.raw_thresholds.data = torch.tensor([40.2, 3.0, 3.5, 8.9]) / layer.unit
    assert layer.whole().tolist() == [3, 4, 41, 9]
    layer.raw_thresholds.data = torch.tensor([99.0, 63.0, 62.5, -4.0]) / layer.unit
    assert layer.whole().tolist() == [61, 62, 63, 1]


def fit(layer, codes, target, steps, rate):
    """Train wires plus one weight each to tell `target` (0 or 1)."""
    weight = torch.nn.Parameter(torch.full((layer.spec.width,), 0.5))
    optimizer = torch.optim.Adam([{"params": layer.parameters()}, {"params": [weight]}], rate)
    values = values_of(codes)
    for _ in range(steps):
        score = (layer(values) * weight).sum(1)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(score, target.float())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return float(((layer(values) * weight).sum(1) > 0).eq(target).double().mean())


def random_codes(rows=1000, in_bits=BITS):
    g = torch.Generator().manual_seed(5)
    return torch.stack([torch.randint(0, 1 << b, (rows,), generator=g) for b in in_bits], 1)


def test_a_learned_threshold_finds_the_planted_one():
    codes = random_codes()
    layer = encoder("thermometer", 1, counts=(1, 0, 0))
    assert fit(layer, codes, codes[:, 0] >= 47, 80, 0.1) > 0.99
    assert layer.whole().tolist() == [47]


def test_a_learned_function_finds_a_planted_interval():
    codes = random_codes()
    target = (codes[:, 0] >= 20) & (codes[:, 0] < 40)
    layer = encoder("functions", 1, counts=(1, 0, 0))
    assert fit(layer, codes, target, 150, 0.05) == 1.0
    table = layer.functions()[0].tolist()
    assert table in (
        [int(20 <= c < 40) for c in range(64)],
        [int(not 20 <= c < 40) for c in range(64)],
    )


def test_truncation_is_the_top_bits_and_its_values_are_even():
    layer, x = encoder("truncate", 2, keep=(2, 0, 4)), input_codes(BITS)
    codes = all_codes()
    assert torch.equal(layer.evaluate(codes, x), torch.stack([codes[:, 0] >> 4, codes[:, 2]], 1))
    out = layer.output(x)
    assert out.bits == (2, 4)
    assert out.levels is None
    assert out.values[0, :4].tolist() == [-1.5, -0.5, 0.5, 1.5]
    assert encoder("truncate", 3, bits=2).output(x).levels is not None


def test_bits_go_where_the_information_is():
    codes = random_codes(6000, (6, 6, 6))
    labels = (codes[:, 0] >> 4) * 2 + (codes[:, 2] >> 5)
    assert allocate_bits(codes.numpy(), labels.numpy(), 12) == (2, 0, 1)
    assert allocate_bits(codes.numpy(), labels.numpy(), 2)[1] == 0
    # The middle half of a feature: the first bit tells nothing alone, two do.
    middle = ((codes[:, 1] >= 16) & (codes[:, 1] < 48)).long()
    assert allocate_bits(codes.numpy(), middle.numpy(), 12) == (0, 2, 0)
    with pytest.raises(UsageError, match="at most 18"):
        allocate_bits(codes.numpy(), labels.numpy(), 99)


@pytest.mark.parametrize(
    ("kind", "width", "bits", "options", "why"),
    [
        ("thermometer", 20, 1, {"counts": (8, 8, 4)}, "8 thresholds for the 8 codes of input 1"),
        ("thermometer", 3, 2, {}, "its wires have 1 bit, not 2"),
        ("thermometer", 3, 1, {"spread": 0.0}, "spread 0.0"),
        ("functions", 3, 1, {"counts": (1, 1)}, "counts for 2 inputs, 2 wires"),
        ("truncate", 3, 4, {}, "4 bits of input 1, which has 3"),
        ("truncate", 3, 1, {"keep": (1, 0, 1)}, "width 3, 2 features kept"),
        ("truncate", 3, 1, {"keep": (1, 1)}, "keep for 2 features"),
    ],
)
def test_an_encoder_that_cannot_be_is_refused(kind, width, bits, options, why):
    with pytest.raises(UnsupportedModel, match=why):
        encoder(kind, width, bits, **options)


def test_an_encoder_reads_single_input_codes():
    g = torch.Generator()
    spec = LayerSpec("enc", 3, "functions", 2, bits=1)
    with pytest.raises(UnsupportedModel, match="reads one input"):
        make_family(input_codes(BITS), spec, g)
    uneven = Codes((1,), torch.tensor([[0.0, 3.0]], dtype=torch.float64))
    with pytest.raises(UnsupportedModel, match="reads input codes"):
        make_family(uneven, LayerSpec("enc", 1, "truncate", 1, bits=1), g)


@pytest.mark.parametrize(
    ("kind", "spec", "most"),
    [
        ("thermometer", {"width": 9, "bits": 1}, 9),
        ("functions", {"width": 9, "bits": 1}, 9),
        ("truncate", {"width": 3, "options": {"keep": (4, 3, 2)}}, 0),
    ],
)
def test_in_a_network_an_encoder_costs_a_lut_per_wire_or_nothing(kind, spec, most):
    enc = LayerSpec("enc", family=kind, role="encoder", **spec)
    score = LayerSpec("score", 2, "poly", 1, "codebook", 2, options={"degree": 1})
    stack = Stack("n", ("a", "b", "c"), ("u", "v"), BITS, (enc, score), seed=1).eval()
    stack.quantizer.set_thresholds(
        tuple(np.arange((1 << b) - 1, dtype=np.float32) + 0.5 for b in BITS)
    )
    rows = all_codes().numpy().astype(np.float32)
    net = stack.quantnet()
    np.testing.assert_array_equal(net.evaluate(net.encode(rows)), stack.evaluate(rows))
    logic = minimize(tabulate(_outputs(net)))
    assert logic.stats()["luts"] <= most


def _outputs(net):
    """The network of the encoder alone: its wires are the outputs."""
    layer = net.layers[0]
    ports = [(Port(f"w{i}", f), layer.name, i) for i, f in enumerate(layer.formats)]
    return QuantNet(net.name, net.inputs, (layer,), tuple(ports), net.quantizer)
