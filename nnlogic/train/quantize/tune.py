"""Short fine-tuning of a quantized network, with the float network as its teacher."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from nnlogic.core.errors import UsageError
from nnlogic.core.progress import SILENT, Progress
from nnlogic.nn.network import Network

RATE, BATCH = 4e-3, 256
WARM_UP = 0.05
PRUNED_AT = 0.5
"""Share of the steps after which all connections are cut that have to be."""
PRUNE_EVERY = 20
FEW, MOST_MIXED = 4000, 20_000
"""Rows between rows, at least and at most."""
TEACHER_SHARE = 0.7
"""Of the loss, where there are labels."""


def tune(
    network: Network,
    codes: Tensor,
    teacher: Tensor,
    labels: Tensor | None,
    *,
    steps: int,
    seed: int = 0,
    progress: Progress = SILENT,
) -> None:
    """Train a network in place, and cut it to its fan-in on the way.

    Parameters
    ----------
    network : Network
    codes : tensor, shape (rows, features)
    teacher : tensor, shape (rows, classes)
        Scores of the float network.
    labels : int64 tensor, or None
        Of the first rows; of others only the teacher knows something.
    steps : int
    seed : int
        Of the order of the rows.
    progress : Progress

    Raises
    ------
    UsageError
        The loss is no number any more.
    """
    generator = torch.Generator().manual_seed(seed)
    wanted = torch.softmax(teacher.float(), 1)
    # Codes of scores are coarse and small: what softmax makes of them is learned.
    heat = torch.nn.Parameter(torch.tensor(math.log(_first_heat(network, codes, teacher))))
    optimizer = torch.optim.Adam([*network.parameters(), heat], lr=RATE)
    batch = min(BATCH, len(codes))
    with progress.step("fine-tune with the float network as teacher", total=steps) as bar:
        for step in range(steps):
            for group in optimizer.param_groups:
                group["lr"] = RATE * _rate(step / steps)
            network.train()
            picked = torch.randint(len(codes), (batch,), generator=generator)
            scores = network.scores(codes[picked]) * heat.exp()
            loss = functional.cross_entropy(scores, wanted[picked])
            known = picked < len(labels) if labels is not None else picked < 0
            if labels is not None and bool(known.any()):
                own = functional.cross_entropy(scores[known], labels[picked[known]])
                loss = TEACHER_SHARE * loss + (1 - TEACHER_SHARE) * own
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            if step % PRUNE_EVERY == 0:
                network.prune((step + 1) / (PRUNED_AT * steps))
                if not math.isfinite(float(loss.detach())):
                    raise UsageError("fine-tuning diverged", where=f"step {step}")
            bar.advance()
    network.prune(1.0)
    network.eval()


def more_rows(x: Tensor, seed: int = 0) -> Tensor:
    """Return rows between rows, on which a teacher can be asked as well (Zhang et al. 2018)."""
    generator = torch.Generator().manual_seed(seed)
    count = min(max(len(x), FEW), MOST_MIXED)
    first, second = (torch.randint(len(x), (count,), generator=generator) for _ in range(2))
    share = torch.rand(count, 1, generator=generator, dtype=torch.float64).to(x.dtype) / 2
    return torch.cat([x, x[first] * (1 - share) + x[second] * share])


def _rate(done: float) -> float:
    if done < WARM_UP:
        return done / WARM_UP
    return 0.5 * (1 + math.cos(math.pi * (done - WARM_UP) / (1 - WARM_UP)))


@torch.no_grad()
def _first_heat(network: Network, codes: Tensor, teacher: Tensor) -> float:
    network.eval()
    own = network.body(network.values(codes))
    spread = float((own - own.mean(1, keepdim=True)).square().mean().sqrt())
    theirs = float((teacher - teacher.mean(1, keepdim=True)).square().mean().sqrt())
    return max(theirs, 1e-3) / max(spread, 1e-3)
