"""Dense layers of torchlogix."""

from __future__ import annotations

from pathlib import Path

from ..format import Format
from ..kit import TORCH, made, reading


def make(folder: Path) -> None:
    """Write thresholds and two layers of gates."""
    import torch

    g = torch.Generator().manual_seed(0)
    tables: dict[str, torch.Tensor] = {
        "0.thresholds": torch.randn(3, 2, generator=g).sort(1).values
    }
    for number, (wires, width) in enumerate(((6, 8), (8, 6)), 1):
        tables[f"{number}.weight"] = torch.randn(width, 16, generator=g)
        tables[f"{number}.connections.indices"] = torch.randint(wires, (2, width), generator=g)
    torch.save(tables, folder / "tables.pth")


FORMATS = (
    Format(
        "torchlogix", "f.pth", made("tables.pth"), reading("f.pth", "classes=3", 2), TORCH,
        make=make,
    ),
)  # fmt: skip
