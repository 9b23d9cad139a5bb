"""A network cut into kernels of its windowed layers and the layers behind them."""

from __future__ import annotations

from dataclasses import dataclass

from nnlogic.backends.stream.model.scan import Scan
from nnlogic.backends.stream.model.sums import by_rows
from nnlogic.core.errors import Problem, UnsupportedModel, UsageError
from nnlogic.core.names import Identifier
from nnlogic.quant.ir import QuantNet
from nnlogic.quant.kernel_network import Part, apart_problems, leading_windows, parts_of
from nnlogic.quant.layers.windowed import Windowed


@dataclass(frozen=True, eq=False)
class Cut:
    """A network in parts.

    Attributes
    ----------
    net : QuantNet
        Its global sums row by row.
    layers : tuple of Windowed
    scans : tuple of Scan
    parts : tuple of Part
        Kernels layer by layer, then the dense layers where there are any.
    """

    net: QuantNet
    layers: tuple[Windowed, ...]
    scans: tuple[Scan, ...]
    parts: tuple[Part, ...]


def cut(net: QuantNet, name: Identifier, lanes: int) -> Cut:
    """Cut a network for a stream of `lanes` positions per clock.

    Parameters
    ----------
    net : QuantNet
        Its inputs are a map.
    name : Identifier
        Of the design; modules are named after it.
    lanes : int

    Raises
    ------
    UnsupportedModel
        The network is no chain of windowed layers with dense layers behind; all that is in the
        way.
    UsageError
        Its maps cannot be moved at this rate.
    """
    reasons = apart_problems(net, "--backend lut")
    if reasons:
        raise UnsupportedModel("the network cannot be streamed", where=net.name, problems=reasons)
    net = by_rows(net)
    layers = leading_windows(net)
    scans = scans_of(layers, lanes)
    problems = [
        Problem(layer.name, why, rate_fix(layers, lanes))
        for layer, scan in zip(layers, scans, strict=False)
        for why in scan.problems()
    ]
    if problems:
        raise UsageError(
            f"maps cannot be moved {lanes} position{'s' if lanes > 1 else ''} per clock",
            where="--positions-per-clock", problems=problems,
        )  # fmt: skip
    return Cut(net, layers, tuple(scans), parts_of(net, name))


def scans_of(layers: tuple[Windowed, ...], lanes: int) -> list[Scan]:
    """Return how each layer's window moves; of those up to the first that cannot."""
    out: list[Scan] = []
    for layer in layers:
        scan = Scan(layer.frame, layer.window, lanes)
        out.append(scan)
        if scan.problems():
            break
        lanes = scan.output_lanes
    return out


def rates(net: QuantNet) -> list[int]:
    """Return the numbers of positions per clock that fit the maps of a network."""
    layers = leading_windows(net)
    if not layers:
        return []
    width = layers[0].frame.width
    counts = [n for n in range(1, width + 1) if width % n == 0]
    return [n for n in counts if not any(s.problems() for s in scans_of(layers, n))]


def rate_fix(layers: tuple[Windowed, ...], lanes: int) -> str:
    """Return what would do in place of `lanes` positions per clock."""
    width = layers[0].frame.width
    fit = [
        n
        for n in range(1, width + 1)
        if width % n == 0 and not any(s.problems() for s in scans_of(layers, n))
    ]
    return (
        f"--positions-per-clock {' or '.join(map(str, fit))}"
        if fit
        else "--backend lut, which has a copy of each kernel for each position"
    )
