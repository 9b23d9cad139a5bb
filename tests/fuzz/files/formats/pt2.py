"""Archives of torch.export."""

from __future__ import annotations

import warnings
from pathlib import Path

from ..format import Format
from ..kit import ZIP, made, reading


def make(folder: Path) -> None:
    """Write modules that quantize their inputs themselves, as they are and decomposed."""
    import torch
    from torch import nn

    class Quantized(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            torch.manual_seed(3)
            self.a, self.b, self.norm = nn.Linear(3, 4), nn.Linear(4, 3), nn.BatchNorm1d(4)
            with torch.no_grad():
                for layer in (self.a, self.b):
                    for p in layer.parameters():
                        p.copy_(torch.round(p * 32) / 32)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = torch.floor(x * 4).clamp(0, 3) * 0.25
            h = torch.round(torch.relu(self.norm(self.a(x))) * 2).clamp(0, 3) / 2
            g = torch.where(self.a(x) >= 0, 1.0, -1.0)
            both = torch.cat([h[:, :2], g[:, 2:]], dim=1)
            return self.b(both.reshape(len(x), 2, 2).flatten(1)).argmax(1)

    class Scores(Quantized):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            h = torch.sign(self.a(torch.round(x * 2).clamp(-2, 1)))
            return self.b(h + torch.abs(h))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, module in (("class", Quantized()), ("scores", Scores())):
            program = torch.export.export(module.eval(), (torch.randn(4, 3),))
            torch.export.save(program, folder / f"{name}.pt2")
            torch.export.save(program.run_decompositions(), folder / f"{name}_core.pt2")


RIGHT = made("class.pt2", "class_core.pt2", "scores.pt2", "scores_core.pt2")
FORMATS = (Format("pt2", "f.pt2", RIGHT, reading("f.pt2"), ZIP, make=make),)
