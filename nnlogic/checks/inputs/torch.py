"""A pickled torch module against QuantNet, run side by side."""

from __future__ import annotations

import time
from pathlib import Path

from nnlogic.checks.inputs import of_source
from nnlogic.checks.raw_rows import compare_on_rows, edge_rows
from nnlogic.checks.verdict import Verdict
from nnlogic.quant.ir import QuantNet

ROWS = 4096


def check_module(net: QuantNet, source: Path) -> Verdict:
    """Compare QuantNet with the module in a torch file, on rows around the input thresholds.

    The file is read again, and its code runs as when it was imported.

    Parameters
    ----------
    net : QuantNet
        With an input quantizer.
    source : Path
        Torch file of an nnlogic.nn network.
    """
    from nnlogic.frontend.torch.read import read_module

    start = time.monotonic()
    if net.quantizer is None:
        raise ValueError("a torch module has an input quantizer")
    rows = edge_rows(net.quantizer, ROWS)
    expected = read_module(source).evaluate(rows)
    return compare_on_rows(net, rows, expected, "torch module").timed(start)


RUNG = of_source("torch module = QuantNet", check_module, "the torch module")
