"""Shapes of networks on the windows of a map for a number of LUTs, to start a search from."""

from __future__ import annotations

from dataclasses import replace

from nnlogic.core.windows import Frame
from nnlogic.data import Dataset
from nnlogic.model.window import WindowSpec
from nnlogic.train.population_recipe import PopulationRecipe
from nnlogic.train.shapes import MANY_ROWS, code_bits, output_luts, votes_within

LARGE = 16
"""From this side on a map has wider kernels."""
KERNEL_SHARE = 0.15
"""Part of the LUTs in the tables of kernels: each is there once, and pools with another LUT."""
LEAST_KERNELS, MOST_KERNELS = 4, 40


def map_shapes(
    data: Dataset,
    luts: int,
    shape: tuple[int, ...],
    *,
    balance: float = 0.0,
    loss: str = "squared",
    quantile: float = 0.5,
    seed: int = 0,
) -> list[PopulationRecipe]:
    """Return recipes whose networks should take about `luts` LUT6 with each kernel once.

    One layer of windows, and two where the map is large enough, as in the recipes ``digits_conv``
    and ``mnist_conv``; then tables and votes.

    Parameters
    ----------
    data : Dataset
        Its columns are a map, see `nnlogic.data.maps.as_map`.
    luts : int
        Kernels, dense layers and output logic together.
    shape : tuple of int
        Of `nnlogic.data.maps.parse_shape`.
    balance, loss, quantile, seed
        See `PopulationRecipe`.
    """
    outputs, relative = len(data.outputs), not data.targets
    *_, rows, columns = shape
    bits = 1 if code_bits(data) > 1 else code_bits(data)
    kernels = min(MOST_KERNELS, max(LEAST_KERNELS, round(KERNEL_SHARE * luts / 2)))
    few = max(1, votes_within(luts, outputs, relative) // 2)
    room = luts - 2 * kernels - output_luts(outputs, few, relative) - outputs * few
    base = PopulationRecipe(
        data.name, data.name, input_bits=bits, frame=shape, members=2, batch=128,
        widths=(max(outputs, round(room)), outputs * few),
        copies=4 if len(data.x_train) < MANY_ROWS else 0, distill=0.0, balance=balance,
        task="classification" if relative else "regression", loss=loss, quantile=quantile,
        seed=seed,
    )  # fmt: skip
    one = replace(base, windows=(_kernel(Frame(1, rows, columns), kernels),))
    after = one.windows[0].after(Frame(1, rows, columns))
    if min(n for n in (after.height, after.width) if n > 1 or after.positions == 1) < 4:
        return [one]
    second = _kernel(after, max(LEAST_KERNELS, round(1.5 * kernels)))
    first = replace(one.windows[0], widths=(max(LEAST_KERNELS, kernels // 2),))
    return [one, replace(base, windows=(first, second))]


def _kernel(frame: Frame, kernels: int) -> WindowSpec:
    """A square window that keeps the size of the map, and pooling by two; flat on flat maps."""
    sides = (frame.height, frame.width)
    wide = 5 if max(sides) >= LARGE else 3
    size = tuple(min(wide, n if n % 2 else n - 1) if n > 1 else 1 for n in sides)
    padding = tuple(n // 2 for n in size)
    return WindowSpec(
        size, (kernels,), padding=padding, pool=tuple(2 if n > 1 else 1 for n in sides)
    )
