"""`nnlogic.from_torch`: a module that is in memory, by the same road as its archive."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlogic.core.errors import Different, ToolNotFound, UnsupportedModel
from nnlogic.quant.ir import QuantNet

if TYPE_CHECKING:
    from torch import Tensor, nn

RECORDED = "recorded"
"""Key of ``info``: rows, and what the module gave for them."""
KEPT = 256
"""Rows that are recorded."""


def from_torch(
    module: nn.Module,
    example_inputs: Tensor | Sequence[Tensor],
    *,
    inputs: str | None = None,
    name: str | None = None,
    features: Sequence[str] | None = None,
    classes: Sequence[str] | None = None,
) -> QuantNet:
    """Return the network that a PyTorch module computes in eval mode, bit for bit.

    The module is traced by `torch.export`, and its graph read from quantizer to quantizer; the
    result is compared with the module itself on the example rows, and on random ones.

    Parameters
    ----------
    module : torch.nn.Module
        Of linear layers, batch norm, quantizers, additions and concatenations; see the guide
        page ``from-torch``. It is put in eval mode for the trace, and back.
    example_inputs : tensor, shape (rows, features), or a tuple of one
        Rows as the module takes them; two or more. They are recorded with their outputs.
    inputs : str, optional
        What the inputs are where the module does not quantize them itself: ``"u1"`` for bits,
        ``"i4"`` for integers, ``"q3.3"`` for fixed point of three bits before the point, the sign
        among them, and three after, ``"uq1.3"`` for such without a sign,
        ``"bipolar"`` for -1 and 1.
    name : str, optional
        Default: that of the module's class.
    features, classes : sequence of str, optional
        Names of the inputs, and of the classes of an argmax.

    Returns
    -------
    QuantNet
        Verified. ``info["outputs"]`` says what the codes of each output stand for: the value is
        the code times ``step``, or ``levels[code]``.

    Raises
    ------
    UnsupportedModel
        All operations that cannot be compiled, each with its line and what to do.
    NotQuantized
        Raw features reach a layer without a quantizer.
    Different
        The network and the module differ, which is a bug of nnlogic.
    ToolNotFound
        torch is not installed.
    """
    try:
        import torch
    except ImportError as error:
        raise ToolNotFound(
            "torch is needed to read a torch module", why=str(error),
            fix="pip install 'nnlogic[train]'",
        ) from error  # fmt: skip
    from nnlogic.frontend.graph.network import network_of
    from nnlogic.frontend.graph.outputs import coded_outputs
    from nnlogic.frontend.pt2.archive import read_graph

    given = (example_inputs,) if isinstance(example_inputs, torch.Tensor) else tuple(example_inputs)
    label = name or type(module).__name__
    if len(given) != 1 or given[0].dim() < 2 or len(given[0]) < 2:
        raise UnsupportedModel(
            "example inputs that are no batch of rows", where=label,
            why=f"shapes {[tuple(g.shape) for g in given]}",
            fix="one tensor of shape (rows, features), of two rows or more",
        )  # fmt: skip
    training = module.training
    module.eval()
    try:
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            # torch warns of its own deprecations while it traces.
            warnings.simplefilter("ignore")
            path = Path(folder, f"{label}.pt2")
            torch.export.save(_exported(module, given[0], label), path)
            graph = read_graph(path)
        net = network_of(graph, inputs, where=label, features=features, classes=classes)
        rows, codes = _rows(net, given[0])
        with torch.no_grad():
            results = module(rows)
    finally:
        module.train(training)
    outputs = [results] if isinstance(results, torch.Tensor) else list(results)
    expected = coded_outputs(net, [o.reshape(len(rows), -1).double().numpy() for o in outputs])
    _compare(net, codes, expected, label)
    kept = min(KEPT, len(given[0]))
    golden = rows[:kept].reshape(kept, -1).double().numpy() if net.quantizer else codes[:kept]
    record = {"rows": golden.tolist(), "outputs": expected[:kept].tolist()}
    return replace(net, info={**net.info, RECORDED: record})


def _exported(module: nn.Module, example: Tensor, label: str) -> Any:
    from nnlogic.frontend.graph.trace import traced
    from nnlogic.frontend.pt2.fake import settled

    program = traced(settled(module, label), example, label)
    names = [str(node.target).split(".")[-2:] for node in program.graph.nodes]
    # What changes a tensor in place is written anew, as what returns another one.
    changes = any(name[0].endswith("_") or name[-1] == "out" for name in names)
    return program.run_decompositions() if changes else program


def _rows(net: QuantNet, example: Tensor) -> tuple[Tensor, np.ndarray]:
    """Return the example and random rows, as the module takes them, and their codes."""
    import torch

    from nnlogic.frontend.graph.inputs import input_format

    rng = np.random.default_rng(0)
    count, shape = 1024, example.shape[1:]
    if net.quantizer is None:
        form = input_format(str(net.info["inputs"]))
        fmt = form.format
        codes = rng.integers(fmt.lo, fmt.hi + 1, (count, len(net.inputs)))
        made = torch.from_numpy(form.numbers(codes)).to(example.dtype).reshape(count, *shape)
        given = form.codes(example.reshape(len(example), -1).double().numpy())
        outside = (given != np.rint(given)) | (given < fmt.lo) | (given > fmt.hi)
        if outside.any():
            row, column = (int(v) for v in np.argwhere(outside)[0])
            value = float(example.reshape(len(example), -1)[row, column])
            raise UnsupportedModel(
                f"the example is not of format {net.info['inputs']}",
                where=f"row {row}, input {net.inputs[column].name}", why=f"it is {value:g}",
                fix="give rows of that format, or the format of the rows",
            )  # fmt: skip
        return torch.cat([example, made]), np.concatenate([given.astype(np.int64), codes])
    columns = []
    for t in net.quantizer.thresholds:
        t = t if len(t) else np.zeros(1, np.float32)
        near = np.concatenate([t, np.nextafter(t, np.float32(-np.inf)), [t[0] - 1, t[-1] + 1]])
        columns.append(rng.choice(near.astype(np.float32), count))
    made = torch.from_numpy(np.stack(columns, axis=1)).to(example.dtype).reshape(count, *shape)
    rows = torch.cat([example, made])
    return rows, net.encode(rows.reshape(len(rows), -1).numpy())


def _compare(net: QuantNet, codes: np.ndarray, expected: np.ndarray, label: str) -> None:
    got = net.evaluate(codes)
    wrong = np.argwhere(got != expected)
    if len(wrong):
        row, port = (int(v) for v in wrong[0])
        raise Different(
            "the network differs from the module", where=label,
            why=f"row {row}, output {net.outputs[port].name}: module {expected[row, port]}, "
            f"network {got[row, port]}; {len(np.unique(wrong[:, 0]))} of {len(codes)} rows differ",
            fix="please report this as a bug",
        )  # fmt: skip
