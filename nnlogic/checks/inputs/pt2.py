"""The module in a torch.export archive against QuantNet, on rows around its thresholds.

The importer is not trusted: the file is read again, and every operation is run by torch on numbers,
as the module runs them, in batches of the size it was exported with.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from nnlogic.checks.inputs import of_source
from nnlogic.checks.raw_rows import compare_outputs, edge_rows
from nnlogic.checks.verdict import Verdict
from nnlogic.core.bits import sample_count
from nnlogic.frontend.graph.inputs import input_format
from nnlogic.frontend.graph.outputs import coded_outputs
from nnlogic.frontend.graph.run import ROWS, run_graph
from nnlogic.frontend.pt2.archive import read_graph
from nnlogic.quant.ir import QuantNet

BATCHES = 512
LABEL = "torch module"


def check_archive(net: QuantNet, source: Path) -> Verdict:
    """Compare QuantNet with the graph in an archive, on random rows.

    Parameters
    ----------
    net : QuantNet
        With ``info["outputs"]``, and ``info["inputs"]`` where it has no input quantizer.
    source : Path
        A file of torch.export.save.
    """
    start = time.monotonic()
    graph = read_graph(source)
    ((_, shape),) = graph.inputs.values()
    # Torch takes its time over a batch, however small.
    count = sample_count(len(net.inputs), min(ROWS, BATCHES * (shape[0] or ROWS)))
    rows: np.ndarray
    if net.quantizer is None:
        form = input_format(str(net.info["inputs"]))
        lo, hi = form.format.lo, form.format.hi
        codes = np.random.default_rng(0).integers(lo, hi + 1, (count, len(net.inputs)))
        rows = form.numbers(codes)
    else:
        rows = edge_rows(net.quantizer, count)
        codes = net.encode(rows)
    given = [out.astype(np.float64) for out in run_graph(graph, rows)]
    expected = coded_outputs(net, given)
    return compare_outputs(net, net.evaluate(codes), expected, LABEL).timed(start)


RUNG = of_source("torch module = QuantNet", check_archive, "the torch module")
