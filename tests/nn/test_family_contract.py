"""The contract of neuron families: model, tables and logic are one function, for every family.

A new family adds one entry to `FIXTURES`. Inputs are few enough to enumerate, so that equality is
checked on every input there is, and with it on every entry of every neuron's table.
"""

from dataclasses import dataclass, fields, replace

import numpy as np
import pytest
import torch

from nnlogic.checks.inputs.native import check_golden
from nnlogic.frontend import load, read_golden
from nnlogic.logic.build import minimize
from nnlogic.model.keys import ACCEPTED, type_name
from nnlogic.model.layer import LayerSpec
from nnlogic.nn import save_checkpoint
from nnlogic.nn.families import families, options_of, shrinks
from nnlogic.nn.family import Neurons, chain_cost, exact_copy
from nnlogic.nn.quantizers import LearnedBits
from nnlogic.nn.stack import Stack
from nnlogic.quant.ir import Enumerated, Linear
from nnlogic.quant.layers.windowed import Windowed
from nnlogic.tables.build import tabulate

CLASSES = ("a", "b", "c")
TIE = 1e-5
"""Only so close to a threshold may a float32 sum fall on the other side than the exact one."""


@dataclass(frozen=True)
class Fixture:
    bits: tuple[int, ...]
    specs: tuple[LayerSpec, ...]


def layer(family, name="fc", width=3, fan_in=3, **more):
    shared = {f.name for f in fields(LayerSpec)}
    spec = {key: value for key, value in more.items() if key in shared}
    options = {key: value for key, value in more.items() if key not in shared}
    return LayerSpec(name, width, family, fan_in, options=options, **spec)


TWOS, ONES, MIXED = (2,) * 5, (1,) * 9, (1, 3, 2, 1, 3)
MEMBER = (layer("poly", "p", 5, 2), layer("poly", "q", bits=3))
FIXTURES = {
    "linear": Fixture(TWOS, (layer("linear", weight_bits=4),)),
    "linear pruned": Fixture(MIXED, (layer("linear", connect="pruned", activation="pact"),)),
    "linear posit": Fixture(
        TWOS, (layer("linear", weights="posit(4,1)", gradient="gap", connect="pruned"),)
    ),
    "linear formats": Fixture(
        MIXED,
        (
            layer("linear", "one", 5, activation="posit(4,1)", bits=4, weights="minifloat(2,1)"),
            layer("linear", "two", 4, activation="ternary()", weights="shift(3)", batch_norm=False),
            layer("linear", activation="power(3,2)", bits=3, weights="binary()"),
        ),
    ),
    "poly": Fixture(TWOS, (layer("poly", degree=3),)),
    "poly learned": Fixture(MIXED, (layer("poly", connect="learned", activation="codebook"),)),
    "subnet": Fixture(MIXED, (layer("subnet", hidden=4, depth=3, bits=3),)),
    "subnet plain": Fixture(TWOS, (layer("subnet", hidden=4, depth=2, skip=0, batch_norm=False),)),
    "additive": Fixture(TWOS, (layer("additive", fan_in=2),)),
    "additive plain": Fixture(MIXED, (layer("additive", fan_in=2, activation="none"),)),
    "kan": Fixture(TWOS, (layer("kan", fan_in=4, part_bits=4, activation="rebnet"),)),
    "kan plain": Fixture(MIXED, (layer("kan", fan_in=0, activation="none"),)),
    "kan bias": Fixture(TWOS, (layer("kan", fan_in=4, batch_norm=False, bits=3),)),
    "tree": Fixture(TWOS, (layer("tree", fan_in=2, branches=(2, 2)),)),
    "luts": Fixture(ONES, (layer("luts", fan_in=6),)),
    "luts gates": Fixture(ONES, (layer("luts", fan_in=2, gates=True, connect="learned"),)),
    "votes": Fixture(ONES, (layer("votes"),)),
    "projection": Fixture(
        TWOS, (layer("projection", "pca", 3, 0, weights="shift(4)", bits=3), layer("linear"))
    ),
    "hamming": Fixture(ONES, (layer("hamming"),)),
    "hamming bundles": Fixture(
        ONES,
        (
            layer("linear", "bundle", 7, 5, activation="sign", bits=1, weights="binary()"),
            layer("hamming"),
        ),
    ),
    "ensemble": Fixture(TWOS, (layer("ensemble", layers=MEMBER),)),
    "poly learned bits": Fixture(
        MIXED,
        (layer("poly", "one", 6, activation="learned_bits", bits=3), layer("poly", "two")),
    ),
    "learned bits": Fixture(
        TWOS,
        (
            layer("subnet", "one", 5, hidden=4, activation="learned_bits"),
            layer("tree", "two", 4, 2, branches=(2,), activation="learned_bits", bits=3),
            layer("additive", "three", fan_in=2),
        ),
    ),
    "thermometer": Fixture((3, 3, 3), (layer("thermometer", fan_in=1, bits=1),)),
    "functions": Fixture((3, 3, 3), (layer("functions", fan_in=1, bits=1),)),
    "window": Fixture(
        (1,) * 12,
        (
            layer(
                "window",
                "map",
                5,
                0,
                frame=(4, 3),
                size=(2, 3),
                padding=(1, 1),
                pool=(2, 1),
                layers=(layer("luts", "tables", 5, 6, connect="learned"),),
            ),
            layer("luts", "dense", 6, 6, connect="learned"),
            layer("votes"),
        ),
    ),
    "window of sums": Fixture(
        (2,) * 5,
        (
            layer(
                "window",
                "map",
                2,
                0,
                frame=(1, 5),
                size=(1, 3),
                padding=(0, 1),
                padding_code=1,
                layers=(layer("linear", "sums", 2, 3, activation="signed_uniform", weight_bits=4),),
            ),
            layer(
                "window",
                "scores",
                3,
                0,
                frame=(1, 5),
                size=(1, 2),
                pool=(1, 4),
                pooling="sum",
                padding=(0, 0, 1, 0),
                layers=(
                    layer("poly", "one", 4, 3, activation="pact"),
                    layer("kan", "two", 3, 3, activation="pact"),
                ),
            ),
        ),
    ),
    "window of supports": Fixture(
        (1,) * 12,
        (
            layer(
                "window",
                "map",
                5,
                0,
                frame=(2, 3),
                size=(2, 2),
                layers=(layer("poly", "sums", 5, 4, connect="support", activation="sign", bits=1),),
            ),
            layer("linear", fan_in=0, connect="2:5", weight_bits=4),
        ),
    ),
    "window of codebooks": Fixture(
        (1,) * 8,
        (
            layer(
                "window",
                "map",
                3,
                0,
                frame=(1, 8),
                size=(1, 3),
                pool=(1, 2),
                layers=(layer("poly", "tables", 3, 3, activation="codebook", degree=2),),
            ),
            layer("additive", fan_in=2, activation="none"),
        ),
    ),
    "groups learned": Fixture((1,) * 8, (layer("poly", fan_in=0, connect="2:4"),)),
    "window of two pools": Fixture(
        (1,) * 11,
        (
            layer(
                "window",
                "map",
                3,
                0,
                frame=(1, 11),
                size=(1, 4),
                stride=(1, 1),
                dilation=(1, 2),
                pool=(1, 2),
                pooling="min",
                layers=(layer("subnet", "nets", 3, 4, hidden=3, depth=2, skip=0),),
            ),
            layer("linear", weight_bits=4),
        ),
    ),
    "truncate": Fixture((3, 3, 3), (layer("truncate", fan_in=1, bits=2),)),
    "truncate mixed": Fixture(
        (3, 3, 3), (layer("truncate", "in", fan_in=1, keep=(1, 3, 2)), layer("poly"))
    ),
    "mixed": Fixture(
        MIXED,
        (
            layer("poly", "one", 6, activation="codebook"),
            layer("kan", "two", 5, activation="pact", bits=3),
            layer("linear", "three", 4, activation="sign", bits=1),
            layer("luts", "four", 6, 3),
            layer("subnet", "five", 3, 4, bits=3),
        ),
    ),
}
CASES = sorted(FIXTURES)


def every_row(bits):
    """All input codes; as raw features too, since thresholds lie half way between codes."""
    grid = np.meshgrid(*(np.arange(1 << b) for b in bits), indexing="ij")
    return np.stack([g.ravel() for g in grid], axis=1)


def build(case, seed=3):
    fixture = FIXTURES[case]
    names = tuple(f"x{i}" for i in range(len(fixture.bits)))
    stack = Stack("toy", names, CLASSES, fixture.bits, fixture.specs, seed=seed)
    cuts = tuple(np.arange(1, 1 << b, dtype=np.float32) - 0.5 for b in fixture.bits)
    stack.quantizer.set_thresholds(cuts)
    return stack


def trained(case, seed=3):
    """A stack after a few steps, so that nothing is as it was drawn."""
    stack = build(case, seed)
    rows = torch.from_numpy(every_row(stack.input_bits).astype(np.float32))
    labels = (rows.sum(1).long() + rows[:, 0].long()) % len(CLASSES)
    learned = [p for p in stack.parameters() if p.requires_grad]
    steps = torch.optim.Adam(learned, lr=0.02) if learned else None
    stack.train()
    for step in range(8 if learned else 0):
        stack.anneal(step / 8)
        stack.prune(step / 6)
        steps.zero_grad()
        torch.nn.functional.cross_entropy(stack(rows), labels).backward()
        steps.step()
    stack.anneal(1.0)
    stack.prune(1.0)
    for module in stack.modules():
        if isinstance(module, LearnedBits):
            own = module.raw_bits.detach()
            own.copy_(1 + torch.arange(len(own)) % module.bits)
    return stack.eval()


def test_every_family_has_a_fixture():
    covered = {spec.family for fixture in FIXTURES.values() for spec in fixture.specs}
    ours = {k for k, c in families().items() if c.__module__.startswith("nnlogic.")}
    assert covered == ours


def tables_of(layers):
    """All layers of tables, those of kernels too."""
    for part in layers:
        if isinstance(part, Windowed):
            for kernel in part.kernels:
                yield from tables_of(kernel.layers)
        elif isinstance(part, Enumerated):
            yield part


@pytest.mark.parametrize("case", CASES)
def test_model_tables_and_networks_are_equal_on_every_input(case):
    stack = trained(case)
    rows = every_row(stack.input_bits)
    net = stack.quantnet()
    want = stack.evaluate(rows)
    np.testing.assert_array_equal(net.encode(rows), rows)
    np.testing.assert_array_equal(net.evaluate(rows), want)
    for limit in (14, 4):
        wide = any(
            sum(part.x_formats[w].bits for w in wires) > limit
            for part in tables_of(net.layers)
            for wires in part.inputs
        )
        if not wide:
            tables = tabulate(net, limit=limit, arith="auto")
            np.testing.assert_array_equal(tables.evaluate(rows), want)
    exact = stack.scores(torch.from_numpy(rows)).numpy()
    np.testing.assert_array_equal(exact.argmax(1), want[:, -1])


@pytest.mark.parametrize("case", CASES)
def test_training_graph_agrees_with_the_tables_but_for_rounding_ties(case):
    stack = trained(case)
    codes = torch.from_numpy(every_row(stack.input_bits))
    for family, x in stack.traced():
        y = family.output(x)
        wires = torch.arange(len(x.bits))
        family.train()
        for module in family.modules():
            if isinstance(module, torch.nn.BatchNorm1d):
                module.eval()
        with torch.no_grad():
            fake = family(x.values[wires, codes].float()).double()
        codes_after = family.eval().evaluate(codes, x)
        exact = y.values[torch.arange(len(y.bits)), codes_after]
        scale = y.values.abs().max()
        wrong = (fake - exact).abs() > 1e-5 * scale
        if isinstance(family, Neurons):
            twin = exact_copy(family)
            with torch.no_grad():
                z = twin.norm(
                    twin.neurons(x.values[twin.connect.wires(), codes[:, twin.connect.wires()]])
                )
            margin = (z[..., None] - twin.activation.thresholds().double()).abs().amin(-1)
            assert (margin[wrong] < TIE * (1 + z.abs()[wrong])).all()
        assert wrong.double().mean() < 0.002
        codes = codes_after


@pytest.mark.parametrize("case", CASES)
def test_gradients_reach_every_parameter(case):
    stack = build(case).train()
    rows = torch.from_numpy(every_row(stack.input_bits).astype(np.float32))
    for progress in (0.0, 0.6):
        stack.zero_grad()
        stack.anneal(progress)
        weights = torch.arange(len(rows) * len(CLASSES)).reshape(-1, len(CLASSES)).sin()
        out = stack(rows)
        if out.requires_grad:
            (out * weights).sum().backward()
        for name, parameter in stack.named_parameters():
            if parameter.requires_grad:
                assert parameter.grad is not None, name
                assert parameter.grad.isfinite().all(), name
                assert parameter.grad.any(), name


@pytest.mark.parametrize("case", CASES)
def test_checkpoint_keeps_everything(case, tmp_path):
    stack = trained(case)
    rows = every_row(stack.input_bits).astype(np.float32)
    path = tmp_path / "net.safetensors"
    save_checkpoint(stack, path, info={"note": 1}, golden_rows=rows)
    net = load(path)
    np.testing.assert_array_equal(net.evaluate(net.encode(rows)), stack.evaluate(rows))
    x, y = read_golden(path)
    np.testing.assert_array_equal(x, rows)
    np.testing.assert_array_equal(y, stack.evaluate(rows))
    assert check_golden(net, path).equal
    assert net.info["note"] == 1
    assert net.info["golden_rows"] == len(rows)
    assert net.info["class_names"] == list(CLASSES)
    other = build(case)
    other.load_state_dict(stack.state_dict())
    np.testing.assert_array_equal(other.eval().evaluate(rows), stack.evaluate(rows))


def broken(part, x):
    """The layer with one fault: in a table entry that is read, or in a weight; some of them."""
    if isinstance(part, Windowed):
        padding = np.full((len(x), 1), part.window.padding_code)
        wires = part.windows.reshape(-1, part.windows.shape[2])
        inner = np.concatenate([x, padding], axis=1)[:, wires].reshape(-1, wires.shape[1])
        (kernel,) = part.kernels
        values, out = {"input": inner}, []
        for i, layer in enumerate(kernel.layers):
            read = np.concatenate([values[source] for source in layer.sources], axis=1)
            values[layer.name] = layer.evaluate(read)
            for bad in broken(layer, read):
                layers = (*kernel.layers[:i], bad, *kernel.layers[i + 1 :])
                out.append(replace(part, kernels=(replace(kernel, layers=layers),)))
        return out
    bad = []
    for neuron in range(min(4, len(part.formats))):
        if isinstance(part, Linear):
            weights = part.weights.copy()
            weights[neuron, np.abs(weights[neuron]).argmax()] *= -1
            bad.append(replace(part, weights=weights))
            continue
        index, shift = 0, 0
        for wire in part.inputs[neuron]:
            index |= int(x[len(x) // 2, wire]) << shift
            shift += part.x_formats[wire].bits
        table = part.tables[neuron].copy()
        table[index] ^= 1 << (part.formats[neuron].bits - 1)
        tables = (*part.tables[:neuron], table, *part.tables[neuron + 1 :])
        bad.append(replace(part, tables=tables))
    return bad


def faults(net, codes):
    """Per layer, networks with one fault."""
    values = net.trace(codes)
    for i, part in enumerate(net.layers[:-1]):
        x = np.concatenate([values[source] for source in part.sources], axis=1)
        bad = broken(part, x)
        yield [replace(net, layers=(*net.layers[:i], b, *net.layers[i + 1 :])) for b in bad]


@pytest.mark.parametrize("case", CASES)
def test_one_flipped_entry_is_caught(case, tmp_path):
    stack = trained(case)
    path = tmp_path / "net.safetensors"
    rows = every_row(stack.input_bits)
    save_checkpoint(stack, path, golden_rows=rows)
    net = load(path)
    for part, bad in zip(net.layers, faults(net, rows), strict=False):
        caught = [not check_golden(b, path).equal for b in bad]
        # A wrong code may not matter to the layers after; a wrong score always shows.
        assert any(caught), part.name
        assert part.name != "fc" or isinstance(part, Linear) or all(caught)


@pytest.mark.parametrize("case", CASES)
def test_compiled_network_is_equal(case):
    stack = trained(case)
    rows = every_row(stack.input_bits)
    tables = tabulate(stack.quantnet(), arith="auto")
    logic = minimize(tables, effort="fast", jobs=1, cache_dir=False)
    np.testing.assert_array_equal(logic.evaluate(rows), stack.evaluate(rows))


class Count:
    """Prices a test can follow: a table by its entries, a sum by its bits."""

    def table(self, in_bits, out_bits):
        return out_bits * 2.0**in_bits

    def adder(self, entering, sum_bits, bounds):
        return entering + bounds * sum_bits


@pytest.mark.parametrize("case", CASES)
def test_cost_is_of_what_is_read_and_falls_along_its_gradient(case):
    stack = trained(case).train()
    stack.anneal(0.0)
    pairs = list(stack.traced())
    live = torch.ones(len(CLASSES))
    luts, read = chain_cost(pairs, live, Count())
    assert read.shape == (len(stack.input_bits),)
    assert ((read >= 0) & (read <= 1)).all()
    assert float(luts.detach()) >= 0
    unread, nothing = chain_cost(pairs, torch.zeros(len(CLASSES)), Count())
    assert float(unread.detach()) == 0
    assert not nothing.any()
    learned = [p for p in stack.parameters() if p.requires_grad]
    can = shrinks(stack.families[i].spec for i in range(len(stack.families)))
    if not can:
        return
    luts.backward()
    moved = sum(float(p.grad.square().sum()) for p in learned if p.grad is not None)
    assert moved > 0
    start = [p.detach().clone() for p in learned]
    found = []
    for part in (1e-1, 1e-2, 1e-3, 1e-4, 1e-5):
        with torch.no_grad():
            for p, at in zip(learned, start, strict=True):
                if p.grad is not None:
                    assert p.grad.isfinite().all()
                    p.copy_(at - part * float(luts.detach()) / moved * p.grad)
        found.append(float(chain_cost(list(stack.traced()), live, Count())[0].detach()))
    assert min(found) < float(luts.detach())


def test_options_have_types_a_recipe_can_give():
    for cls in families().values():
        for option in options_of(cls).values():
            assert type_name(option) in ACCEPTED
            assert option.default is not option.empty
