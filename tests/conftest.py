"""Networks shared by the tests of all stages."""

from __future__ import annotations

import numpy as np
import pytest

from nnlogic.core.archive import frozen
from nnlogic.core.formats import IntFormat, Port
from nnlogic.quant.ir import INPUT, Argmax, InputQuantizer, Linear, QuantNet


def random_quant_net(
    seed: int = 0,
    widths: tuple[int, ...] = (6, 5, 3),
    features: int = 5,
    fan_in: int = 3,
    bits: int = 2,
    levels: int = 4,
) -> QuantNet:
    """A random sparse network that ends in scores and argmax."""
    rng = np.random.default_rng(seed)
    source, previous, layers = INPUT, features, []
    for number, width in enumerate(widths):
        weights = np.zeros((width, previous), np.int64)
        for row in weights:
            chosen = rng.choice(previous, min(fan_in, previous), replace=False)
            row[chosen] = rng.integers(-9, 10, len(chosen))
        thresholds = np.sort(rng.integers(-20, 21, (width, levels - 1)), axis=1)
        bias = rng.integers(-5, 6, width)
        name = f"fc{number + 1}"
        layers.append(
            Linear(
                name,
                (source,),
                frozen(weights, np.int64),
                frozen(bias, np.int64),
                frozen(thresholds, np.int64),
                (IntFormat(bits),) * width,
            )
        )
        source, previous = name, width
    winner = IntFormat(max(1, (previous - 1).bit_length()))
    layers.append(Argmax("argmax", (source,), (winner,)))
    outputs = [(Port(f"score_c{i}", IntFormat(bits)), source, i) for i in range(previous)]
    thresholds = [np.sort(rng.normal(size=2**bits - 1)) for _ in range(features)]
    return QuantNet(
        name="toy",
        inputs=tuple(Port(f"f{i}", IntFormat(bits)) for i in range(features)),
        layers=tuple(layers),
        output_wires=(*outputs, (Port("class", winner), "argmax", 0)),
        quantizer=InputQuantizer(tuple(frozen(t, np.float32) for t in thresholds)),
        info={"class_names": [f"c{i}" for i in range(previous)]},
    )


@pytest.fixture
def toy_net() -> QuantNet:
    return random_quant_net()


@pytest.fixture(scope="session")
def make_net():
    """The factory itself, for tests that want other shapes."""
    return random_quant_net
