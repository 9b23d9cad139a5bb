"""A float teacher of the jets, better than the one recipes train by themselves, and what it says.

    python -m benchmarks.zoo.teach --data DIR --out FILE.npz [--seconds 50] [--device cuda]

Eight perceptrons of three residual layers side by side, on each feature standardized, as a quantile
and as a logarithm; the mean of their probabilities, weights averaged over the last steps. FILE
holds probabilities of the training rows (``train``) and of as many rows twice over that lie between
a training row and one of its eight nearest (``mixed_rows``, ``mixed``): more rows to learn from,
which lie where rows do. For `benchmarks.zoo.refine`, and `benchmarks.zoo.sweep` ``--taught``.
"""

from __future__ import annotations

import argparse
import math
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from nnlogic import data
from nnlogic.data import Dataset

MEMBERS, WIDTH, DEPTH, BATCH = 8, 256, 3, 4096
RATE, DROPOUT, DECAY, KEPT = 2e-3, 0.15, 0.05, 0.999
WARM_UP, BURST = 500, 20
NEAREST, MIXES, CHUNK = 8, 2, 2048


class Features:
    """Three views of each feature, fitted to training rows."""

    def __init__(self, x: NDArray) -> None:
        self.mean, self.std = x.mean(0), x.std(0) + 1e-6
        self.knots = [np.unique(k) for k in np.quantile(x, np.linspace(0, 1, 513), axis=0).T]
        self.least = np.quantile(np.abs(x), 0.05, axis=0) + 1e-6
        logs = np.log(np.abs(x[:20_000]) + self.least)
        self.log_mean, self.log_std = logs.mean(0), logs.std(0) + 1e-6

    def quantiles(self, x: NDArray) -> NDArray:
        """Return the place of each value among the training rows', about -1.7 to 1.7."""
        columns = zip(x.T, self.knots, strict=True)
        shares = [np.interp(c, k, np.linspace(0, 1, len(k))) for c, k in columns]
        return (3.4 * (np.stack(shares, 1) - 0.5)).astype(np.float32)

    def __call__(self, x: NDArray) -> Tensor:
        """Return all views, (rows, 3 * features)."""
        logs = (np.log(np.abs(x) + self.least) - self.log_mean) / self.log_std
        plain = (x - self.mean) / self.std
        views = [np.clip(plain, -6, 6), self.quantiles(x), np.clip(logs, -6, 6)]
        return torch.from_numpy(np.concatenate(views, 1).astype(np.float32))


class Perceptrons(nn.Module):
    """Members side by side."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        sizes = [inputs, *[WIDTH] * DEPTH, outputs]
        pairs = list(pairwise(sizes))
        scale = [1.0] * DEPTH + [0.3]
        self.weights = nn.ParameterList(
            torch.randn(MEMBERS, n, m) * math.sqrt(2 / n) * s
            for (n, m), s in zip(pairs, scale, strict=True)
        )
        self.biases = nn.ParameterList(torch.zeros(MEMBERS, 1, m) for _, m in pairs)
        self.gains = nn.ParameterList(torch.ones(MEMBERS, 1, n) for n, _ in pairs[1:])

    def forward(self, x: Tensor) -> Tensor:
        """Return scores, (members, rows, outputs), of rows (members, rows, inputs)."""
        hidden = torch.baddbmm(self.biases[0], x, self.weights[0])
        for k, gain in enumerate(self.gains, 1):
            y = functional.silu(hidden)
            y = y * gain / (y.square().mean(-1, keepdim=True) + 1e-5).sqrt()
            y = functional.dropout(y, DROPOUT, self.training)
            y = torch.baddbmm(self.biases[k], y, self.weights[k])
            hidden = hidden + y if k < DEPTH else y
        return hidden


def train(net: Perceptrons, x: Tensor, y: Tensor, seconds: float) -> int:
    """Train for so long; return the steps taken. The weights are averages then."""
    cuda = x.is_cuda
    rate = torch.tensor(0.0, device=x.device) if cuda else 0.0
    optimizer = torch.optim.AdamW(
        net.parameters(), lr=rate, weight_decay=DECAY, fused=cuda, capturable=cuda
    )
    averages = [p.detach().clone() for p in net.parameters()]

    def step() -> None:
        rows = torch.randint(len(x), (MEMBERS, BATCH), device=x.device)
        scores = net(x[rows]).flatten(0, 1)
        loss = functional.cross_entropy(scores, y[rows].flatten()) * MEMBERS
        optimizer.zero_grad(set_to_none=False)
        loss.backward()
        optimizer.step()
        torch._foreach_lerp_(averages, list(net.parameters()), 1 - KEPT)

    for p in net.parameters():
        p.grad = torch.zeros_like(p)
    advance = step
    if cuda:
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(5):
                step()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            step()
        advance = graph.replay
    begun, done = time.monotonic(), 0
    while (part := (time.monotonic() - begun) / seconds) < 1:
        now = RATE * min(done / WARM_UP, 0.5 * (1 + math.cos(math.pi * part))) + 1e-6
        if cuda:
            rate.fill_(now)
        else:
            optimizer.param_groups[0]["lr"] = now
        for _ in range(BURST):
            advance()
        done += BURST
        if cuda:
            torch.cuda.synchronize()
    with torch.no_grad():
        for p, average in zip(net.parameters(), averages, strict=True):
            p.copy_(average)
    return done


@torch.no_grad()
def says(net: Perceptrons, views: Tensor, device: str) -> NDArray:
    """Return the members' mean probabilities of rows."""
    net.eval()
    parts = []
    for part in views.split(16_384):
        scores = net(part.to(device).expand(MEMBERS, -1, -1))
        parts.append(torch.softmax(scores, -1).mean(0).cpu())
    return torch.cat(parts).numpy()


def mixed(rows: Dataset, features: Features, device: str) -> NDArray[np.float32]:
    """Return rows between each training row and one near it, `MIXES` times over."""
    places = torch.from_numpy(features.quantiles(rows.x_train)).to(device)
    square, near = places.square().sum(1), []
    for part in places.split(CHUNK):
        away = square - 2 * part @ places.t()
        near.append(away.topk(NEAREST + 1, largest=False).indices[:, 1:].cpu())
    nearest, rng, x = torch.cat(near).numpy(), np.random.default_rng(7), rows.x_train
    out = []
    for _ in range(MIXES):
        other = nearest[np.arange(len(x)), rng.integers(0, NEAREST, len(x))]
        share = rng.random((len(x), 1), dtype=np.float32)
        out.append((x + share * (x[other] - x)).astype(np.float32))
    return np.concatenate(out)


def main() -> None:
    """Train the teacher and write what it says."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=50.0)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()
    torch.manual_seed(0)
    torch.set_float32_matmul_precision("high")
    rows = data.load("jets", args.data)
    features = Features(rows.x_train)
    x = features(rows.x_train).to(args.device)
    y = torch.from_numpy(rows.y_train).long().to(args.device)
    net = Perceptrons(x.shape[1], len(rows.class_names)).to(args.device)
    steps = train(net, x, y, args.seconds)
    found = says(net, features(rows.x_val), args.device)
    print(f"{steps} steps, validation {100 * np.mean(found.argmax(1) == rows.y_val):.2f} %")
    between = mixed(rows, features, args.device)
    np.savez(
        args.out,
        train=says(net, features(rows.x_train), args.device).astype(np.float16),
        mixed_rows=between,
        mixed=says(net, features(between), args.device).astype(np.float16),
    )


if __name__ == "__main__":
    main()
