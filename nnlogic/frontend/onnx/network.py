"""An ONNX model as a QuantNet."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from nnlogic.core.errors import Problem, ToolNotFound, UnsupportedModel, UsageError
from nnlogic.frontend.onnx.document import FIX, Document, Step, read_document
from nnlogic.frontend.wiring import Refusal
from nnlogic.quant.ir import QuantNet

if TYPE_CHECKING:
    from torch import Tensor

    from nnlogic.frontend.graph.program import Graph
    from nnlogic.frontend.onnx.emitter import Emitter, Symbolic

MOST_BATCH = 1024


def load_onnx(path: Path, options: Mapping[str, str]) -> QuantNet:
    """Read a model.

    Parameters
    ----------
    path : Path
    options : mapping of str to str
        See `nnlogic.frontend.onnx.format.Onnx.options`.

    Returns
    -------
    QuantNet
        ``info["outputs"]`` says what the codes of each output stand for, as for modules of torch.

    Raises
    ------
    CheckpointError
        The file is damaged, or incomplete.
    UnsupportedModel
        With all nodes that cannot be compiled.
    NotQuantized
        Raw features reach a layer without a quantizer.
    ToolNotFound
        onnx or torch is not installed.
    """
    decision = options.get("decision", "argmax")
    if decision not in ("argmax", "none"):
        raise UsageError(f"--read decision={decision[:40]}", fix="decision=argmax, decision=none")
    graph = read_graph(path, best=decision == "argmax")
    from nnlogic.frontend.graph.network import network_of

    return network_of(graph, options.get("inputs"), where=str(path))


def read_graph(path: Path, *, best: bool = False) -> Graph:
    """Return a model as operations of aten.

    Parameters
    ----------
    path : Path
    best : bool
        Whether several outputs that are no codes get an argmax.

    Raises
    ------
    CheckpointError, UnsupportedModel, ToolNotFound
        As `load_onnx`.
    """
    document = read_document(path)
    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise ToolNotFound(
            "torch is needed to read an ONNX model", where=str(path), why=str(error),
            fix="pip install 'nnlogic[onnx]'",
        ) from error  # fmt: skip
    from nnlogic.frontend.graph.program import Graph

    emitter, given = _emitted(document, str(path))
    outputs = _outputs(emitter, document, str(path), best=best)
    return Graph(
        path.stem, {given.name: (given.meta.dtype, tuple(given.shape))}, {}, tuple(emitter.nodes),
        tuple(out.name for out in outputs), FIX,
    )  # fmt: skip


def _emitted(document: Document, where: str) -> tuple[Emitter, Symbolic]:
    """Return all steps as nodes, and the input."""
    import torch

    from nnlogic.frontend.onnx.emitter import Emitter, Symbolic

    (name, sizes), *others = list(document.inputs.items()) or [("", ())]
    sizes = tuple((n or 1) if i == 0 else n for i, n in enumerate(sizes))
    if others or len(sizes) < 2 or not all(sizes) or sizes[0] > MOST_BATCH:
        raise UnsupportedModel(
            "no model of one batch of rows", where=where,
            why=f"its inputs are {[list(s) for s in document.inputs.values()]}",
            fix="one input of a known shape (rows, ...), exported for one row",
        )  # fmt: skip
    emitter = Emitter()
    given = Symbolic("input", torch.empty(sizes, device="meta"))
    emitter.values = {n: _tensor(a) for n, a in document.constants.items()}
    emitter.values[name] = given
    problems: list[Problem] = []
    for step in _needed(document):
        try:
            _take(emitter, step)
        except Refusal as refusal:
            place = f"{step.name} ({step.op})"
            if refusal.why:
                problems.append(Problem(place, refusal.why, refusal.fix))
    if problems:
        count = len(problems)
        what = f"{count} operation{'s' * (count != 1)} cannot be compiled to logic"
        raise UnsupportedModel(what, where=where, problems=problems)
    return emitter, given


def _tensor(array: object) -> Tensor:
    import numpy as np
    import torch

    wide = {"uint16": np.int32, "uint32": np.int64, "uint64": np.int64, "float16": np.float32}
    found = np.asarray(array)
    return torch.from_numpy(found.astype(wide.get(found.dtype.name, found.dtype), copy=True))


def _needed(document: Document) -> list[Step]:
    """Return the steps that outputs need, but for a softmax at the end."""
    wanted = set(scores_of(document))
    steps = []
    for step in reversed(document.steps):
        if wanted.intersection(step.outputs):
            wanted.update(step.inputs)
            steps.append(step)
    return steps[::-1]


def scores_of(document: Document) -> tuple[str, ...]:
    """Return the names of what the model returns, before a softmax."""
    from nnlogic.frontend.onnx.ops import SCORES

    made = {out: step for step in document.steps for out in step.outputs}
    found = []
    for name in document.outputs:
        while name in made and made[name].op in (*SCORES, "Identity") and made[name].inputs:
            name = made[name].inputs[0]
        found.append(name)
    return tuple(found)


def _take(emitter: Emitter, step: Step) -> None:
    from nnlogic.frontend.onnx.emitter import Given
    from nnlogic.frontend.onnx.ops import HANDLERS, INSTEAD

    lost = [n for n in step.inputs if n and emitter.values.get(n, 0) is None]
    for out in step.outputs:
        emitter.values[out] = None  # type: ignore[assignment]
    if lost:
        raise Refusal("")
    if step.op not in HANDLERS:
        fix = INSTEAD.get(step.op, "one of the operations that the guide page import lists")
        raise Refusal("not an operation that logic can be made of", fix)
    emitter.step = step
    given = Given(step, emitter.values)
    value = HANDLERS[step.op](emitter, given)
    given.done()
    for out in step.outputs:
        emitter.values[out] = value  # type: ignore[assignment]


def _outputs(emitter: Emitter, document: Document, where: str, *, best: bool) -> list[Symbolic]:
    from nnlogic.frontend.onnx.emitter import Symbolic

    out = []
    for name in scores_of(document):
        value = emitter.values.get(name)
        if not isinstance(value, Symbolic):
            raise UnsupportedModel(
                "an output that does not depend on the input", where=f"{where}, {name[:80]}"
            )
        emitter.step = None
        count = value.meta[0].numel() if value.shape else 0
        if best and len(document.outputs) == 1 and count > 1 and value.meta.is_floating_point():
            flat = emitter.call("view.default", value, [value.shape[0], -1])
            value = emitter.call("argmax.default", flat, 1)
        out.append(value)
    return out
