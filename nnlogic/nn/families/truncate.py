"""Features of different bit-widths."""

from __future__ import annotations

import torch
from torch import Tensor

from nnlogic.model.layer import LayerSpec
from nnlogic.nn.codes import Codes, input_codes
from nnlogic.nn.encoders import OneFeature
from nnlogic.nn.family import refuse
from nnlogic.nn.gates import Price


class Truncate(OneFeature):
    """The top bits of every feature's code: a uniform encoder, wires only, no logic.

    Each wire's values spread evenly around zero and below 2 in size, whatever its bits.
    `nnlogic.nn.allocate_bits` says how many bits each feature is worth.

    Parameters
    ----------
    x : Codes
    spec : LayerSpec
        Width: the number of features kept.
    generator : torch.Generator
        Not used.
    keep : tuple of int
        Bits per feature, 0 to leave it out; empty for ``spec.bits`` of each.
    """

    kind = "truncate"
    divisor: Tensor
    count: Tensor

    def __init__(
        self,
        x: Codes,
        spec: LayerSpec,
        generator: torch.Generator,
        *,
        keep: tuple[int, ...] = (),
    ) -> None:
        keep = tuple(keep) or (spec.bits,) * len(x.bits)
        if len(keep) != len(x.bits):
            raise refuse(spec, f"keep for {len(keep)} features", f"give {len(x.bits)} numbers")
        wrong = [f for f, (k, b) in enumerate(zip(keep, x.bits, strict=True)) if not 0 <= k <= b]
        if wrong:
            f = wrong[0]
            why = f"{keep[f]} bits of input {f}, which has {x.bits[f]} ({len(wrong)} such inputs)"
            raise refuse(spec, why, "keep between 0 and the bits of the code")
        self.bits = tuple(k for k in keep if k)
        if len(self.bits) != spec.width:
            why = f"width {spec.width}, {len(self.bits)} features kept"
            raise refuse(spec, why, f"width = {len(self.bits)}")
        feature = torch.tensor([f for f, k in enumerate(keep) if k])
        super().__init__(x, spec, feature)
        bits = torch.tensor(self.bits)
        self.register_buffer("divisor", 2 ** (torch.tensor(x.bits)[feature] - bits))
        self.register_buffer("count", 2**bits)

    def functions(self) -> Tensor:
        """Return the output code of each wire by input code, int64 (width, 2**most bits)."""
        codes = torch.arange(1 << max(self.in_bits), device=self.divisor.device)
        # Codes beyond a narrower feature's own are not used; they only must fit.
        return torch.minimum(codes // self.divisor[:, None], self.count[:, None] - 1)

    def output(self, x: Codes) -> Codes:
        """Return wires of their own bits, of common levels only where all have the same."""
        if len(set(self.bits)) == 1:
            return input_codes(self.bits)
        values = torch.zeros((len(self.bits), 1 << max(self.bits)), dtype=torch.float64)
        for row, bits in zip(values, self.bits, strict=True):
            row[: 1 << bits] = input_codes((bits,)).values[0]
        return Codes(self.bits, values)

    def cost(self, x: Codes, live: Tensor, price: Price) -> tuple[Tensor, Tensor]:
        """Return no cost: its outputs are wires."""
        luts, read = super().cost(x, live, price)
        return 0 * luts, read

    def forward(self, x: Tensor) -> Tensor:
        """Return values (samples, width) of input values (samples, features)."""
        code = torch.floor(self.positions(x) / self.divisor)
        return (2 * code + 1 - self.count) * 2 / self.count


FAMILY = Truncate
