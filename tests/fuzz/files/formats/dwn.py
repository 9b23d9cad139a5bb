"""Differentiable weightless networks."""

from __future__ import annotations

from pathlib import Path

from ..format import Format
from ..kit import TORCH, made, reading


def make(folder: Path) -> None:
    """Write two layers of tables, one with learned wires."""
    import torch

    g = torch.Generator().manual_seed(0)
    dwn = {
        "config": {"n": 2, "layers": [6, 6], "num_classes": 3},
        "state_dict": {
            "0.luts": torch.randn(6, 4, generator=g),
            "0.mapping.weights": torch.randn(6, 12, generator=g),
            "1.luts": torch.randn(6, 4, generator=g),
            "1.mapping": torch.randint(6, (6, 2), generator=g, dtype=torch.int32),
        },
        "thermometer": {"thresholds": torch.randn(3, 2, generator=g).sort(1).values},
        "scaler": {"mean": torch.zeros(3), "scale": torch.ones(3)},
        "classes": ["a", "b", "c"],
        "feature_names": ["x", "y", "z"],
    }
    torch.save(dwn, folder / "dwn.pt")


FORMATS = (Format("dwn", "f.pt", made("dwn.pt"), reading("f.pt"), TORCH, make=make),)
