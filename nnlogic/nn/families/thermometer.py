"""Comparators of a feature with learned thresholds."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nnlogic.model.layer import LayerSpec
from nnlogic.nn.codes import Codes
from nnlogic.nn.encoders import OneFeature, spread_over
from nnlogic.nn.family import refuse
from nnlogic.nn.quantizers import forward_as

PARTS = 16.0


class Thermometer(OneFeature):
    """One bit per learned threshold: whether the feature's code is at least that.

    Thresholds are learned as floats, in sixteenths of the feature's codes. In use they are whole,
    increase within a feature, and lie between 1 and the largest code, so that no comparator is
    constant and no two are the same, at any time in training: ``ceil`` of the sorted floats,
    pushed apart upwards, then held below the top. A threshold's gradient is that of a tanh around
    it (`spread` codes wide), straight through the comparison.

    Parameters
    ----------
    x : Codes
    spec : LayerSpec
        With ``bits = 1``.
    generator : torch.Generator
        Not used; the first thresholds are evenly spaced.
    counts : tuple of int
        Thresholds per feature, summing to the width; empty for an even spread.
    spread : float
        Codes within which a threshold feels rows on both sides.
    """

    kind = "thermometer"
    slot: Tensor
    top: Tensor
    unit: Tensor

    def __init__(
        self,
        x: Codes,
        spec: LayerSpec,
        generator: torch.Generator,
        *,
        counts: tuple[int, ...] = (),
        spread: float = 2.0,
    ) -> None:
        super().__init__(x, spec, spread_over(spec, tuple(counts), len(x.bits)))
        if not spread > 0:
            raise refuse(spec, f"spread {spread}", "use a positive number of codes")
        self.spread = spread
        number = torch.bincount(self.feature, minlength=self.inputs)
        largest = 2 ** torch.tensor(x.bits) - 1
        if (number > largest).any():
            f = int((number > largest).int().argmax())
            why = f"{int(number[f])} thresholds for the {int(largest[f]) + 1} codes of input {f}"
            raise refuse(spec, why, "fewer thresholds (counts), or more input bits")
        # One row per feature, padded at the end; wires are the entries in use, row by row.
        slots = torch.arange(int(number.max()))
        self.register_buffer("slot", slots < number[:, None])
        self.register_buffer("top", (largest - number)[:, None] + 1 + slots)
        even = (slots + 1) * (largest + 1)[:, None] / (number + 1)[:, None]
        # In these units a threshold crosses the range in as many steps as a weight does.
        self.register_buffer("unit", ((largest + 1) / PARTS)[self.feature])
        self.raw_thresholds = nn.Parameter(even[self.slot] / self.unit)

    def _sorted(self) -> Tensor:
        rows = self.raw_thresholds.new_full(self.slot.shape, torch.inf)
        return rows.masked_scatter(self.slot, self.raw_thresholds * self.unit).sort(1).values

    def whole(self) -> Tensor:
        """Return the thresholds in use, int64 (width,): a bit is set from that code on."""
        return self._whole(self._sorted())[self.slot]

    def _whole(self, rows: Tensor) -> Tensor:
        place = torch.arange(rows.shape[1], device=rows.device)
        whole = torch.ceil(rows.detach()).clamp(1, 1 << 20).long()
        apart = torch.cummax(whole - place, 1).values + place
        return torch.minimum(apart, self.top)

    def functions(self) -> Tensor:
        """Return the output bit of each wire by input code, int64 (width, 2**most bits)."""
        codes = torch.arange(1 << max(self.in_bits), device=self.unit.device)
        return (codes >= self.whole()[:, None]).long()

    def forward(self, x: Tensor) -> Tensor:
        """Return values -1 and +1 (samples, width) of input values (samples, features)."""
        rows = self._sorted()
        whole, at = self._whole(rows)[self.slot], self.positions(x)
        soft = torch.tanh((at - rows[self.slot] + 0.5) / self.spread)
        return forward_as(soft, 2.0 * (at >= whole) - 1)


FAMILY = Thermometer
