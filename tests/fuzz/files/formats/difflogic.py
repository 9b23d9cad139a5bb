"""Gates of difflogic."""

from __future__ import annotations

from pathlib import Path

from ..format import Format
from ..kit import TORCH, made, reading


def make(folder: Path) -> None:
    """Write two layers of gates."""
    import torch

    g = torch.Generator().manual_seed(0)
    gates: dict[str, torch.Tensor] = {}
    for number, (wires, width) in enumerate(((5, 8), (8, 6))):
        gates[f"{number}.weights"] = torch.randn(width, 16, generator=g)
        gates[f"{number}.indices"] = torch.randint(wires, (2, width), generator=g)
    torch.save(gates, folder / "gates.pth")


FORMATS = (
    Format(
        "difflogic", "f.pth", made("gates.pth"), reading("f.pth", "classes=3", 2), TORCH, make=make
    ),
)  # fmt: skip
