"""What all activation quantizers share."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nnlogic.nn.quantizers.straight import choose_level

SMALLEST_SCALE = 2.0**-12
MOST_COMPARED = 31


class Activation(nn.Module):
    """A scalar quantizer: the code of ``x`` is the number of thresholds ``<= x``.

    Values are a learned scale times a shape, which some kinds learn too. A kind gives `values`
    and `thresholds`. A value that lies on a threshold takes the upper code. In training,
    `forward` returns ``values()[codes(x)]`` bit for bit, and gradients pass straight through
    between the smallest and the largest value.

    Parameters
    ----------
    bits : int
        Bits of the code.
    init_scale : float
        First value of the scale.

    Attributes
    ----------
    kind : str
        Its name in a layer of a recipe.
    quantized : bool
        When off, `forward` only clips; for float twins.
    """

    kind = ""

    def __init__(self, bits: int, init_scale: float) -> None:
        super().__init__()
        self.bits = bits
        self.quantized = True
        self.raw_scale = nn.Parameter(torch.tensor([self.raw_of(float(init_scale))]))

    def raw_of(self, scale: float) -> float:
        """Return the parameter that stands for a scale."""
        return scale

    @property
    def scale(self) -> Tensor:
        """The scale in use, positive, float32, shape (1,)."""
        return self.raw_scale.clamp_min(SMALLEST_SCALE)

    @torch.no_grad()
    def set_scale(self, scale: float) -> None:
        """Take over a scale."""
        self.raw_scale.fill_(self.raw_of(scale))

    def values(self) -> Tensor:
        """Return the value of each code, float32, (2**bits,), with gradients of the shape."""
        raise NotImplementedError

    def thresholds(self) -> Tensor:
        """Return the exact lower bounds of codes 1, 2, ..., float64, (2**bits - 1,) or fewer."""
        raise NotImplementedError

    def codes(self, x: Tensor) -> Tensor:
        """Return int64 codes of `x`, exactly: floats are compared at face value.

        Parameters
        ----------
        x : float tensor, any shape
            Not NaN.
        """
        x, bounds = x.detach(), self.thresholds().detach()
        if x.dtype != torch.float64:
            x, bounds = x.to(torch.float32), _next_float32(bounds)
        if x.device.type != "cpu" or len(bounds) > MOST_COMPARED:
            return torch.bucketize(x.contiguous(), bounds, right=True)
        # Few comparisons are several times faster than a search on a CPU.
        code = torch.zeros(x.shape, dtype=torch.uint8)
        for bound in bounds.unbind():
            code += x >= bound
        return code.long()

    def clipped(self, x: Tensor) -> Tensor:
        """Return `x` between the smallest and the largest value."""
        values = self.values()
        return torch.minimum(torch.maximum(x, values.min()), values.max())

    def forward(self, x: Tensor) -> Tensor:
        """Quantize values; a clipped identity when `quantized` is off. NaN stays NaN."""
        if not self.quantized:
            return self.clipped(x)
        return choose_level(x, self.scale, self.values(), self.codes(x))


def _next_float32(bounds: Tensor) -> Tensor:
    # A float32 is at or above a float64 bound just when it is at or above this float32.
    near = bounds.to(torch.float32)
    above = torch.nextafter(near, torch.full_like(near, torch.inf))
    return torch.where(near.to(torch.float64) < bounds, above, near)
