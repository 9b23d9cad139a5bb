"""What a trained network compiles to, for the report of training."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from nnlogic.core.formats import ROLES
from nnlogic.core.names import Identifier
from nnlogic.core.progress import SILENT, Progress
from nnlogic.frontend import load
from nnlogic.job.facts import layer_luts
from nnlogic.logic.build import minimize
from nnlogic.quant.ir import INPUT, QuantNet
from nnlogic.quant.kernel_network import behind_windows, kernel_network, leading_windows
from nnlogic.tables.build import tabulate


def compiled_luts(
    checkpoint: Path, effort: str = "fast", jobs: int | None = None, progress: Progress = SILENT
) -> dict[str, int]:
    """Return the LUT6 a checkpoint compiles to, by role and in ``"total"``.

    Every role is there: the encoder counts, and so does the output logic. Layers are minimized one
    by one; `nnlogic.compile` may find less across them. Of windows each kernel counts once, as in
    a stream, which has one copy for all positions.

    Parameters
    ----------
    checkpoint : Path
    effort : str
        Of the minimization.
    jobs : int, optional
        Processes; all cores when None.
    progress : Progress
    """
    out = dict.fromkeys(ROLES, 0)
    for net in _parts(load(checkpoint)):
        tables = tabulate(net, arith="auto")
        logic = minimize(tables, effort=effort, jobs=jobs, progress=progress)
        for number, count in layer_luts(logic).items():
            out[logic.layers[number].role] += count
    return {**out, "total": sum(out.values())}


def _parts(net: QuantNet) -> Iterator[QuantNet]:
    """Yield the kernels of the windows at the beginning, and what reads the last map.

    A network that cannot be cut so is yielded whole.
    """
    windows = leading_windows(net)
    gone = {INPUT, *(layer.name for layer in windows[:-1])}
    later = {source for layer in net.layers[len(windows) :] for source in layer.sources}
    later |= {layer for _, layer, _ in net.output_wires}
    if not windows or gone & later or not all(layer.shared for layer in windows):
        yield net
        return
    for layer in windows:
        for number in range(len(layer.kernels)):
            yield kernel_network(layer, net.x_formats(layer), number)
    yield behind_windows(net, Identifier(f"{net.name}_dense"))
