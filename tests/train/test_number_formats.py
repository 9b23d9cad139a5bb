"""Number formats of a recipe: compared, mixed by sensitivity, compiled to what torch gave."""

import dataclasses

import numpy as np
import pytest
import torch

import nnlogic
from nnlogic.core.errors import UsageError
from nnlogic.frontend import load, read_golden
from nnlogic.nn.checkpoint import load_network
from nnlogic.predict.cost import live_neurons
from nnlogic.quant.numbers import numbers
from nnlogic.train.formats import (
    BASE,
    MIX,
    cheapest_mix,
    compare_formats,
    count_products,
    in_formats,
)
from nnlogic.train.recipe_file import load_recipe
from nnlogic.train.sensitivity import weight_importance


@pytest.fixture(scope="module")
def recipe():
    found = load_recipe("digits")
    layers = tuple(
        dataclasses.replace(spec, width=w, fan_in=4)
        for spec, w in zip(found.layers, (12, 12, 10), strict=True)
    )
    return dataclasses.replace(found, layers=layers, epochs=2, pruning="random")


@pytest.fixture(scope="module")
def compared(recipe, tmp_path_factory):
    out = tmp_path_factory.mktemp("formats")
    sizes = []

    def size(net):
        sizes.append(net)
        return len(sizes), 1

    how = {"out": out, "size": size, "mix": ("ternary()", "posit(4,1)"), "mix_bits": 3.5}
    rows = compare_formats(recipe, ["posit(4,1)"], **how)
    again = compare_formats(recipe, ["posit(4,1)"], **how)
    return out, rows, again, len(sizes), how


def test_rows_are_trained_compiled_and_kept(compared):
    _, rows, again, compiled, _ = compared
    assert [r.name for r in rows] == [BASE, "posit(4,1)", MIX]
    assert rows == again
    assert compiled == 3
    assert set(rows[1].formats.values()) == {"posit(4,1)"}
    for row in rows:
        assert 0 <= row.test <= 1
        assert load_recipe(row.recipe).name.startswith("digits_")


def test_products_that_are_no_shifts_are_counted(compared):
    _, rows, _, _, _ = compared
    assert rows[0].dsps > rows[1].dsps
    net = load(rows[0].checkpoint)
    assert rows[0].dsps <= sum(int((np.abs(la.weights) > 2).sum()) for la in net.layers[:-1])
    shifts = tuple(
        dataclasses.replace(la, weights=np.sign(la.weights) * 4) for la in net.layers[:-1]
    )
    assert count_products(dataclasses.replace(net, layers=(*shifts, net.layers[-1]))) == 0
    more = tuple(dataclasses.replace(la, weights=la.weights * 3) for la in shifts)
    live = live_neurons(net)
    read = sum(int((la.weights[live[la.name]] != 0).sum()) for la in net.layers[:-1])
    assert count_products(dataclasses.replace(net, layers=(*more, net.layers[-1]))) == read


def test_weights_that_are_compiled_are_numbers_of_the_format(compared):
    _, rows, _, _, _ = compared
    for row in rows[1:]:
        net = load(row.checkpoint)
        for layer in net.layers[:-1]:
            made = numbers(row.formats[layer.name])
            whole = {abs(int(v)) for v in made.integers}
            for weights in layer.weights:
                # Folded rows are units of the format, but for a common sign.
                assert {abs(int(w)) for w in weights} <= whole | {0}


def test_what_is_compiled_is_what_torch_gave(compared):
    _, rows, _, _, _ = compared
    x, y = read_golden(rows[1].checkpoint)
    net = load(rows[1].checkpoint)
    logic = nnlogic.minimize(nnlogic.tabulate(net), effort="fast", jobs=1)
    np.testing.assert_array_equal(logic.evaluate(net.encode(x)), y)


def test_another_recipe_in_the_same_folder_is_refused(compared, recipe):
    _, _, _, _, how = compared
    other = dataclasses.replace(recipe, seed=7)
    with pytest.raises(UsageError, match="another comparison"):
        compare_formats(other, [], **how)


def test_importance_is_the_gradient_of_single_rows(compared):
    _, rows, _, _, _ = compared
    network = load_network(rows[0].checkpoint)
    generator = torch.Generator().manual_seed(0)
    codes = torch.randint(0, 4, (5, 64), generator=generator)
    labels = torch.arange(5)
    found = weight_importance(network, codes, labels)
    total = {name: torch.zeros_like(v) for name, v in found.items()}
    for block in network.blocks:
        block.activation.quantized = False
    for row, label in zip(codes, labels, strict=True):
        x = network.values(row[None])
        used = []
        for block in network.blocks:
            w = block.linear.effective_weight().detach().requires_grad_()
            used.append(w)
            x = block.activation(block.norm(x @ w.t()))
        loss = torch.nn.functional.cross_entropy(x, label[None])
        for block, g in zip(network.blocks, torch.autograd.grad(loss, used), strict=True):
            total[block.spec.name] += g.square() / len(codes)
    for name in found:
        torch.testing.assert_close(found[name], total[name])


def test_a_mix_keeps_bits_where_they_matter():
    cost = {"a": {"t": 9.0, "f": 1.0}, "b": {"t": 2.0, "f": 1.0}}
    count, bits = {"a": 10, "b": 10}, {"t": 2, "f": 4}
    assert cheapest_mix(cost, count, bits, 0) == {"a": "f", "b": "f"}
    assert cheapest_mix(cost, count, bits, 3) == {"a": "f", "b": "t"}
    assert cheapest_mix(cost, count, bits, 2) == {"a": "t", "b": "t"}
    with pytest.raises(UsageError, match="no mix is so small"):
        cheapest_mix(cost, count, bits, 1.5)


def test_formats_of_activations_keep_the_scores(recipe):
    made = in_formats(recipe, {"fc1": "ternary()", "fc3": "ternary()"}, "both", "gap")
    first, second, last = made.layers
    assert (first.activation, first.bits, first.options["weights"]) == ("ternary()", 2, "ternary()")
    assert second.activation == "pact"
    assert (last.activation, last.options["gradient"]) == ("signed_uniform", "gap")


def test_all_mistakes_are_told(recipe, tmp_path):
    bad = dataclasses.replace(recipe, task="regression")
    with pytest.raises(UsageError) as found:
        compare_formats(bad, ["posit(1,1)", "half"], out=tmp_path, size=len, of="all")
    text = str(found.value)
    for words in ("posit(1,1)", "half", "known are weights", "accuracies are of classes"):
        assert words in text
    assert not list(tmp_path.iterdir())
