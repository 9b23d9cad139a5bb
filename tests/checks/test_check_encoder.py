"""The encoder inside the core against the quantizer, and faults it must find."""

from dataclasses import replace

import numpy as np
import pytest

from nnlogic.checks.encoder import check_encoder
from nnlogic.core.archive import frozen
from nnlogic.core.errors import UsageError
from nnlogic.core.formats import IntFormat
from nnlogic.quant.encoder import comparisons, lost_thresholds, with_encoder, words_near_cuts
from nnlogic.quant.ir import INPUT, Enumerated, QuantNet
from nnlogic.quant.word import WordFormat, parse_words

FORMATS = ("q3.7", "float32", "q4.12,f1=float32,f2=int8,f3=q6.18")


@pytest.fixture(scope="module")
def coded(make_net):
    """A network that reads codes, and bits of a thermometer."""
    net = make_net(6)
    bit, first = IntFormat(1), net.layers[0]
    tables = tuple(frozen(np.arange(4) >= k, np.int64) for k in (1, 2, 3))
    falls = frozen([1, 1, 0, 0], np.int64)
    bits = Enumerated(
        "bits", (INPUT,), ((0,), (0,), (1,), (4,)), (*tables, falls), (bit,) * 4,
        tuple(p.format for p in net.inputs), "encoder",
    )  # fmt: skip
    weights = np.concatenate([first.weights, np.ones((len(first.weights), 4), np.int64)], axis=1)
    mixed = replace(first, sources=(INPUT, "bits"), weights=frozen(weights, np.int64))
    out = replace(net, layers=(bits, mixed, *net.layers[1:]))
    out.verify()
    return out


def raw_of(coded, text):
    return with_encoder(coded, parse_words(text, [p.name for p in coded.inputs]))


@pytest.mark.parametrize("text", FORMATS)
def test_equal_on_every_word(coded, text):
    raw = raw_of(coded, text)
    verdict = check_encoder(coded, raw)
    assert verdict.equal, verdict.text()
    assert verdict.how == "exhaustive"
    words = words_near_cuts(raw, 400)
    numbers = np.stack([w.decode(words[:, i]) for i, w in enumerate(raw.raw)], axis=1)
    finite = np.isfinite(numbers).all(axis=1)
    assert finite.sum() > 100
    expected = coded.evaluate(coded.encode(numbers[finite]))
    assert (raw.evaluate(words[finite]) == expected).all()
    assert (
        raw.encode(numbers[finite & (numbers != 0).all(axis=1)])
        == words[finite & (numbers != 0).all(axis=1)]
    ).all()


@pytest.mark.parametrize("text", FORMATS)
def test_a_threshold_off_by_one_bit_is_found(coded, text):
    raw = raw_of(coded, text)
    found = 0
    for place, layer in enumerate(raw.layers):
        if INPUT not in layer.sources:
            continue
        for neuron in range(len(layer.formats)):
            for step in (-1, 1):
                wrong = layer.thresholds.copy()
                wrong[neuron, -1] += step
                faulty = replace(layer, thresholds=frozen(wrong, np.int64))
                net = replace(raw, layers=(*raw.layers[:place], faulty, *raw.layers[place + 1 :]))
                verdict = check_encoder(coded, net)
                assert not verdict.equal
                feature = int(np.flatnonzero(layer.weights[neuron])[0])
                assert f"{coded.inputs[feature].name} as {raw.raw[feature]}" in verdict.detail
                found += 1
    assert found >= 10


def test_other_faults_are_found(coded):
    raw = raw_of(coded, "q3.7")
    at = {la.name: i for i, la in enumerate(raw.layers)}

    def with_layer(layer):
        return replace(
            raw, layers=tuple(layer if la.name == layer.name else la for la in raw.layers)
        )

    codes, mixed = raw.layers[at["codes"]], raw.layers[at["fc1"]]
    swapped = replace(codes, inputs=(codes.inputs[1], codes.inputs[0], *codes.inputs[2:]))
    assert "depends on f0, f1" in check_encoder(coded, with_layer(swapped)).detail
    biased = replace(mixed, bias=frozen(mixed.bias + 1, np.int64))
    assert check_encoder(coded, with_layer(biased)).where == "fc1"
    table = codes.tables[2].copy()
    table[0] ^= 1
    wrong = replace(codes, tables=(*codes.tables[:2], table, *codes.tables[3:]))
    assert check_encoder(coded, with_layer(wrong)).where == "codes/neuron2"


def test_only_thresholds_that_are_read_are_compared(coded):
    bits = replace(coded.layers[0], tables=(*coded.layers[0].tables[:3], frozen([1, 1, 1, 1], int)))
    first = coded.layers[1]
    weights = first.weights.copy()
    weights[:, :5] = 0
    weights[0, 2] = 1
    net = replace(
        coded, layers=(bits, replace(first, weights=frozen(weights, np.int64)), *coded.layers[2:])
    )
    raw = raw_of(net, "q4.12")
    assert [len(c) for c in comparisons(raw)] == [2, 1, 3, 0, 0]
    assert check_encoder(net, raw).equal


def test_the_file_keeps_the_formats(coded, tmp_path):
    raw = raw_of(coded, FORMATS[2])
    raw.save(tmp_path / "raw.safetensors")
    back = QuantNet.load(tmp_path / "raw.safetensors")
    assert back.raw == raw.raw
    assert [str(w) for w in back.raw] == ["q4.12", "float32", "int8", "q6.18", "q4.12"]


def test_thresholds_out_of_reach_are_named(coded):
    said = lost_thresholds(coded, (WordFormat.parse("q1.1"),) * 5)
    assert len(said) == 5
    assert "thresholds lie beyond -1 to 0.5" in "".join(said)
    assert not lost_thresholds(coded, (WordFormat.parse("float32"),) * 5)


def test_a_network_on_codes_has_nothing_to_encode(coded):
    with pytest.raises(UsageError, match="no input quantizer"):
        raw_of(replace(coded, quantizer=None), "int8")
