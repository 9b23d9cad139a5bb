"""One small compiled design for all simulation tests; Verilator builds are slow, so few."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from nnlogic.core import bits
from nnlogic.core.formats import IntArray, IntFormat, Port
from nnlogic.design.build import build
from nnlogic.design.ir import HardwareDesign
from nnlogic.hw.lut.verilog import write_verilog
from nnlogic.logic.build import minimize
from nnlogic.quant.ir import INPUT, Argmax, Linear, QuantNet
from nnlogic.tables.build import tabulate


@dataclass(frozen=True)
class Compiled:
    net: QuantNet
    design: HardwareDesign
    files: tuple[Path, ...]
    codes: IntArray
    expected: IntArray


@pytest.fixture(scope="session")
def compiled(tmp_path_factory) -> Compiled:
    rng = np.random.default_rng(5)
    w1 = rng.integers(-3, 4, (5, 3))
    w2 = rng.integers(-2, 3, (3, 5))
    s3, u2 = IntFormat(3, True), IntFormat(2)
    t1 = np.array([[-4, 0, 4]] * 5)
    ports = (Port("a b", s3), Port("a__b", u2), Port("c", u2))
    net = QuantNet(
        "tiny net",
        ports,
        (
            Linear("fc1", (INPUT,), w1, rng.integers(-2, 3, 5), t1, (u2,) * 5),
            Linear("fc2", ("fc1",), w2, np.zeros(3, np.int64), None, (IntFormat(6, True),) * 3),
            Argmax("class", ("fc2",), (u2,)),
        ),
        (
            *((Port(f"score_{c}", IntFormat(6, True)), "fc2", c) for c in range(3)),
            (Port("class", u2), "class", 0),
        ),
    )
    net.verify()
    design = build(minimize(tabulate(net), jobs=1), schedule=2, stream=True)
    files = write_verilog(design, tmp_path_factory.mktemp("rtl"))
    codes = bits.random_codes(net.inputs, 300, seed=1)
    return Compiled(net, design, files, codes, net.evaluate(codes))
