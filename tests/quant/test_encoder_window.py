"""One encoder for all positions of a map: what it means, and faults that its check must find."""

from dataclasses import replace

import numpy as np
import pytest

from nnlogic.checks.encoder import check_encoder
from nnlogic.core.archive import frozen
from nnlogic.core.errors import UnsupportedModel, UsageError
from nnlogic.core.formats import IntFormat, Port
from nnlogic.core.windows import Frame, Window
from nnlogic.quant.encoder import comparisons, words_near_cuts
from nnlogic.quant.encoder_window import channel_names, with_window_encoder
from nnlogic.quant.ir import INPUT, Enumerated, QuantNet, Windowed
from nnlogic.quant.kernel import Kernel
from nnlogic.quant.quantizer import InputQuantizer
from nnlogic.quant.word import parse_words

FRAME = Frame(2, 3, 4)
CODE, BIT = IntFormat(2), IntFormat(1)
THRESHOLDS = ([-0.5, 0.25, 3.0], [10.0, 10.5, 200.0])


@pytest.fixture(scope="module")
def coded():
    rng = np.random.default_rng(5)
    wires = tuple((t, t + 2, t + 5) for t in range(3))
    rows = tuple(frozen(rng.integers(0, 2, 64), np.int64) for _ in wires)
    kernel = Kernel((Enumerated("taps", (INPUT,), wires, rows, (BIT,) * 3, (CODE,) * 8),))
    layer = Windowed("conv", (INPUT,), FRAME, Window((2, 2), padding=(0, 1, 1, 0)), (kernel,))
    ports = tuple(Port(f"p{i}", CODE) for i in range(FRAME.wires))
    outputs = tuple((Port(f"y{i}", BIT), "conv", i) for i in range(len(layer.formats)))
    arrays = tuple(frozen(np.array(THRESHOLDS[i % 2]), np.float32) for i in range(FRAME.wires))
    net = QuantNet("map", ports, (layer,), outputs, InputQuantizer(arrays))
    net.verify()
    return net


def raw_of(net, text):
    return with_window_encoder(net, FRAME, parse_words(text, channel_names(FRAME)))


@pytest.fixture(scope="module")
def raw(coded):
    return raw_of(coded, "q4.6,c1=uint8")


@pytest.mark.parametrize("text", ["q4.6,c1=uint8", "float32"])
def test_equal_on_every_word(coded, text):
    raw = raw_of(coded, text)
    verdict = check_encoder(coded, raw)
    assert verdict.equal, verdict.text()
    assert verdict.how == "exhaustive"
    assert "one encoder for all 12 positions" in verdict.detail
    words = words_near_cuts(raw, 300)
    numbers = np.stack([w.decode(words[:, i]) for i, w in enumerate(raw.raw)], axis=1)
    finite = np.isfinite(numbers).all(axis=1)
    assert finite.sum() > 20
    expected = coded.evaluate(coded.encode(numbers[finite]))
    assert (raw.evaluate(words[finite]) == expected).all()


def test_words_are_drawn_at_the_constants_of_the_kernel(raw):
    found = comparisons(raw)
    assert found[0] == found[2] == [-32, 16, 192]
    assert found[1] == found[23] == [10, 11, 200]


def test_faults_are_found(coded, raw):
    front, *behind = raw.layers
    (kernel,) = front.kernels

    def wrong(layer, **changes):
        return replace(raw, layers=(replace(layer, **changes), *behind))

    found = []
    for place, layer in enumerate(kernel.layers):
        if INPUT in layer.sources:
            moved = layer.thresholds.copy()
            moved[0, -1] += 1
            faulty = replace(layer, thresholds=frozen(moved, np.int64))
            layers = (*kernel.layers[:place], faulty, *kernel.layers[place + 1 :])
            found.append(wrong(front, kernels=(Kernel(layers),)))
    assert found
    exchanged = replace(behind[0], window=Window((2, 2), padding=(1, 0, 1, 0)))
    found.append(replace(raw, layers=(front, exchanged)))
    found.append(wrong(front, window=Window((1, 1), padding=(0, 1, 0, 0))))
    found.append(wrong(front, shared=False, kernels=(kernel,) * 12))
    outputs = (raw.output_wires[1], *raw.output_wires[1:])
    found.append(replace(raw, output_wires=outputs))
    words = ["q5.6" if i == 4 else str(w) for i, w in enumerate(raw.raw)]
    found.append(replace(raw, info={**raw.info, "raw": words}))
    for net in found:
        assert not check_encoder(coded, net).equal
    other = list(coded.quantizer.thresholds)
    other[6] = frozen(other[6] + np.float32(0.5), np.float32)
    elsewhere = replace(coded, quantizer=InputQuantizer(tuple(other)))
    verdict = check_encoder(elsewhere, raw)
    assert (verdict.equal, verdict.where) == (False, "p6")


def test_what_cannot_be_shared_is_refused(coded, raw):
    other = list(coded.quantizer.thresholds)
    other[7] = frozen(other[7] + np.float32(1.0), np.float32)
    with pytest.raises(UnsupportedModel) as caught:
        raw_of(replace(coded, quantizer=InputQuantizer(tuple(other))), "int8")
    text = caught.value.text()
    assert "feature p7 has other thresholds than p1" in text
    assert "--backend lut" in text
    with pytest.raises(UsageError, match="no input quantizer"):
        raw_of(raw, "int8")
    with pytest.raises(UsageError) as caught:
        raw_of(coded, "int8,p3=q4.4")
    assert "features are c0, c1" in caught.value.text()
