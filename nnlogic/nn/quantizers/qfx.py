"""Fixed point with a trainable binary point."""

from __future__ import annotations

import torch
from torch import Tensor

from nnlogic.nn.quantizers.straight import forward_as, round_half_up
from nnlogic.nn.quantizers.uniform import Uniform

POINTS = (-8, 16)


class QFX(Uniform):
    """Signed fixed point ``saturate(round(x << f), bits) >> f`` with a learned integer ``f``.

    ``f`` is a float parameter, rounded half up when used and limited to `POINTS`; its gradient
    passes straight through the rounding (QFX, Dai et al. 2024). Values beyond the
    range saturate: in a table that costs no logic. Halves round up.

    Parameters
    ----------
    bits : int
        Bits of the two's complement number; code 0 is the most negative one.
    point : float, optional
        First number of fraction bits; the range is then about -2 to 2.
    """

    kind = "qfx"
    powers: Tensor

    def __init__(self, bits: int, point: float | None = None) -> None:
        super().__init__(bits, 2.0 ** -(bits - 2 if point is None else point))
        powers = torch.tensor([2.0**-f for f in range(POINTS[0], POINTS[1] + 1)])
        self.register_buffer("powers", powers, persistent=False)

    def raw_of(self, scale: float) -> float:
        """Return the binary point of a scale."""
        return -float(torch.log2(torch.tensor(scale, dtype=torch.float64)))

    @property
    def point(self) -> Tensor:
        """The binary point in use, a whole number, shape (1,)."""
        return round_half_up(self.raw_scale.clamp(*POINTS))

    @property
    def scale(self) -> Tensor:
        """The value of the last bit, an exact power of two, shape (1,)."""
        point = self.point
        # exp2 may be off by one unit in the last place on some devices; these powers are not.
        exact = self.powers[point.detach().long() - POINTS[0]]
        return forward_as(torch.exp2(-point), exact)
