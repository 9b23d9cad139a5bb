"""Stacks: what they refuse, what their checkpoints hold, and that they are one function."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from nnlogic.checks.inputs.native import check_golden
from nnlogic.core.errors import CheckpointError, TooWide, UnsupportedModel, UsageError
from nnlogic.frontend import load, read_golden
from nnlogic.model.layer import LayerSpec
from nnlogic.nn import Stack, load_network, save_checkpoint
from nnlogic.nn.codes import input_codes
from nnlogic.nn.families import make_family

NAMES, CLASSES = tuple("abcd"), ("no", "yes")


def stack(*specs, bits=2, fitted=True, **options):
    out = Stack("toy", NAMES, CLASSES, (bits,) * 4, specs, **options)
    if fitted:
        cuts = np.arange(1, 1 << bits, dtype=np.float32)
        out.quantizer.set_thresholds((cuts,) * 4)
    return out.eval()


POLY = LayerSpec("hidden", 5, "poly", 3)
SCORE = LayerSpec("score", 2, "poly", 3, bits=3)


@pytest.fixture
def rows():
    return np.random.default_rng(0).uniform(0, 4, (50, 4)).astype(np.float32)


def test_too_wide_lists_every_layer():
    with pytest.raises(TooWide) as caught:
        stack(POLY, SCORE, fan_in_limit=5)
    assert [p.where for p in caught.value.problems] == ["hidden", "score"]
    assert "fan-in of 6 bits, limit 5" in str(caught.value)


@pytest.mark.parametrize(
    ("specs", "words"),
    [
        ((POLY,), "width 5 for 2 classes"),
        ((LayerSpec("in", 2, "truncate", options={"keep": (1, 2, 0, 0)}),), "different values"),
    ],
)
def test_scores_must_be_comparable_and_one_per_class(specs, words):
    with pytest.raises(UsageError, match=words):
        stack(*specs)


@pytest.mark.parametrize(
    ("specs", "words"),
    [
        (
            (LayerSpec("a", 5, "poly", 2, "codebook"), LayerSpec("b", 2, connect="pruned")),
            "uneven values",
        ),
        ((LayerSpec("a", 2, activation="none"),), "'none' is not for this family"),
        ((LayerSpec("a", 2, options={"gradient": "up"}),), "gradient 'up'"),
        ((LayerSpec("a", 2, connect="learned"),), "connect 'learned'"),
        ((LayerSpec("a", 2, "luts"),), 'activation = "sign"'),
        ((LayerSpec("a", 2, "votes"),), "4 wires of 2 bits for 2 outputs"),
        ((LayerSpec("a", 2, "kan", options={"knots": 1, "part_bits": 0}),), "part_bits 0"),
        ((LayerSpec("a", 2, "tree", 2, options={"node": "kan"}),), "a tree of 'kan'"),
        ((LayerSpec("a", 2, "ensemble"),), "2 members of 0 layers"),
        ((LayerSpec("a", 2, "additive", 5),), None),
    ],
)
def test_layers_that_cannot_be_built(specs, words):
    if words is None:  # a fan-in beyond the wires there are means all of them
        assert stack(*specs).families[0].fan_in == 4
        return
    with pytest.raises(UnsupportedModel, match=words):
        stack(*specs)


def test_spec_problems_are_all_listed():
    spec = LayerSpec("a b", 0, "poly", options={"degre": 2, "degree": "two"})
    with pytest.raises(UsageError) as caught:
        make_family(input_codes((2,)), spec, torch.Generator())
    text = str(caught.value)
    for words in ("not an identifier", "width 0", "did you mean 'degree'", "'two', need int"):
        assert words in text
    with pytest.raises(UsageError, match="family 'polly', known are additive"):
        make_family(input_codes((2,)), LayerSpec("a", 1, "polly"), torch.Generator())


def test_input_values_are_the_codes_values():
    for bits in (1, 2, 6):
        net = stack(POLY, SCORE, bits=bits, fan_in_limit=18)
        codes = torch.arange(1 << bits)[:, None].expand(-1, 4)
        want = input_codes((bits,) * 4).values[0].float()
        assert torch.equal(net.values(codes)[:, 0], want)
    assert input_codes((1,)).values.tolist() == [[-1.0, 1.0]]


def test_eval_mode_gives_values_of_the_exact_scores(rows):
    net = stack(POLY, SCORE)
    values = net.families[-1].activation.values().detach().double()
    got = net(torch.from_numpy(rows))
    assert torch.equal(got, values[torch.from_numpy(net.evaluate(rows)[:, :-1])])


def test_unfitted_or_broken_parameters_are_refused(tmp_path):
    path = tmp_path / "net.safetensors"
    with pytest.raises(CheckpointError, match="never fitted"):
        save_checkpoint(stack(POLY, SCORE, fitted=False), path)
    broken = stack(POLY, SCORE)
    broken.families[0].weight.data[0, 0] = torch.nan
    with pytest.raises(CheckpointError, match=r"0\.weight +1 of 45 values"):
        save_checkpoint(broken, path)
    assert not path.exists()


def test_golden_rows_stay_with_their_file(tmp_path, rows):
    path, copy = tmp_path / "net.safetensors", tmp_path / "copy.safetensors"
    net = stack(POLY, SCORE)
    save_checkpoint(net, path, golden_rows=rows)
    loaded = load(path)
    assert loaded.info["golden_rows"] == 50
    assert len(loaded.info["digest"]) == 32
    loaded.save(copy)
    assert "golden_rows" not in load(copy).info
    assert read_golden(copy) is None
    with pytest.raises(CheckpointError, match="no recorded outputs"):
        check_golden(loaded, copy)
    save_checkpoint(stack(POLY, SCORE, seed=9), copy)
    assert load(copy).info["digest"] != loaded.info["digest"]
    with pytest.raises(CheckpointError, match="holds a QuantNet"):
        load_network(path)


def test_a_checkpoint_loads_without_torch(tmp_path, rows):
    path = tmp_path / "net.safetensors"
    save_checkpoint(stack(POLY, SCORE), path, golden_rows=rows)
    code = (
        "import sys; from nnlogic.frontend import load, read_golden;"
        "net = load(sys.argv[1]); x, y = read_golden(sys.argv[1]);"
        "sys.exit(int('torch' in sys.modules or (net.evaluate(net.encode(x)) != y).any()))"
    )
    assert subprocess.run([sys.executable, "-c", code, str(path)], check=False).returncode == 0


def test_same_seed_same_network_and_float_mode(rows):
    first, second = stack(POLY, SCORE, seed=5), stack(POLY, SCORE, seed=5)
    np.testing.assert_array_equal(first.evaluate(rows), second.evaluate(rows))
    first.set_quantized(False)
    codes = first.quantizer(torch.from_numpy(rows))
    assert len(first.body(first.values(codes)).unique()) > 8
    np.testing.assert_array_equal(first.evaluate(rows), second.evaluate(rows))
