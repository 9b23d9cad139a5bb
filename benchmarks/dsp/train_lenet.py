"""Train a binarized network of the size of LeNet-5 on MNIST; on a GPU in a minute.

    python -m benchmarks.dsp.train_lenet --data DIR --out FILE.npz [--device cuda] [--epochs 40]

Weights and activations are -1 or +1 throughout, inputs the top bit of each pixel. Layers: 6 filters
of 5x5 on 28x28 padded by 2, 2x2 maximum, 16 filters of 5x5x6, 2x2 maximum, 120, 84 and 10 neurons.
The file holds, per layer, int8 ``weights`` and int64 ``thresholds``: a neuron fires when
``sum(weights * x) >= threshold``, x in -1, +1, where padding counts as -1; the last layer adds
``bias`` and is not thresholded. Batch-norm is folded in exactly; a negative scale turns weights.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from nnlogic import data

SHAPES = {"conv1": (6, 1, 5, 5), "conv2": (16, 6, 5, 5)}
SCORE_UNIT = 6.0
SHAPES |= {"fc1": (120, 400), "fc2": (84, 120), "fc3": (10, 84)}


class _Sign(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.where(x >= 0, 1.0, -1.0)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * (x.abs() <= 1)


sign = _Sign.apply


class BinaryLeNet(nn.Module):
    """The network in training form: latent float weights, batch-norm, straight-through signs."""

    def __init__(self) -> None:
        super().__init__()
        self.weights = nn.ParameterDict(
            {k: nn.Parameter(torch.empty(s).uniform_(-0.5, 0.5)) for k, s in SHAPES.items()}
        )
        self.norms = nn.ModuleDict(
            {
                k: nn.BatchNorm1d(s[0]) if len(s) == 2 else nn.BatchNorm2d(s[0])
                for k, s in SHAPES.items()
                if k != "fc3"
            }
        )
        self.bias = nn.Parameter(torch.zeros(10))

    def forward(self, x: Tensor) -> Tensor:
        """Return class scores of rows of -1 and +1, shape (rows, 784)."""
        w = {k: sign(v) for k, v in self.weights.items()}
        x = functional.pad(x.view(-1, 1, 28, 28), (2, 2, 2, 2), value=-1.0)
        for name in ("conv1", "conv2"):
            x = sign(self.norms[name](functional.conv2d(x, w[name])))
            x = functional.max_pool2d(x, 2)
        x = x.flatten(1)
        for name in ("fc1", "fc2"):
            x = sign(self.norms[name](functional.linear(x, w[name])))
        return (functional.linear(x, w["fc3"]) + self.bias) / SCORE_UNIT


def fold(net: BinaryLeNet) -> dict[str, np.ndarray]:
    """Return integer weights and thresholds, see the module."""
    out = {}
    for name in SHAPES:
        w = np.where(net.weights[name].detach().cpu().numpy() >= 0, 1, -1).astype(np.int64)
        if name == "fc3":
            out[f"{name}.weights"] = w.astype(np.int8)
            out[f"{name}.bias"] = np.rint(net.bias.detach().cpu().numpy()).astype(np.int64)
            continue
        norm = net.norms[name]
        gamma, beta, mean, var = (
            t.detach().cpu().numpy().astype(np.float64)
            for t in (norm.weight, norm.bias, norm.running_mean, norm.running_var)
        )
        scale = gamma / np.sqrt(var + norm.eps)
        turned = scale < 0
        w[turned] *= -1
        bound = mean - beta / np.where(scale == 0, 1e-12, scale)
        bound = np.where(turned, -bound, bound)
        out[f"{name}.weights"] = w.astype(np.int8)
        out[f"{name}.thresholds"] = np.ceil(bound).astype(np.int64)
    return out


def infer(arrays: dict[str, np.ndarray], bits: np.ndarray) -> np.ndarray:
    """Return exact integer scores of rows of bits, shape (rows, 784) to (rows, 10)."""
    x = torch.from_numpy(bits.reshape(-1, 1, 28, 28) * 2.0 - 1)
    x = functional.pad(x, (2, 2, 2, 2), value=-1.0)
    get = {k: torch.from_numpy(v.astype(np.float64)) for k, v in arrays.items()}
    for name in ("conv1", "conv2"):
        total = functional.conv2d(x, get[f"{name}.weights"])
        x = (total >= get[f"{name}.thresholds"].view(1, -1, 1, 1)).double() * 2 - 1
        x = functional.max_pool2d(x, 2)
    x = x.flatten(1)
    for name in ("fc1", "fc2"):
        x = (x @ get[f"{name}.weights"].t() >= get[f"{name}.thresholds"]).double() * 2 - 1
    scores = x @ get["fc3.weights"].t() + get["fc3.bias"]
    return scores.numpy().astype(np.int64)


def main() -> None:
    """Train and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    rows = data.load("mnist", args.data)
    x = torch.from_numpy(np.where(rows.x_train >= 128, 1.0, -1.0).astype(np.float32)).to(
        args.device
    )
    y = torch.from_numpy(rows.y_train).to(args.device)
    net = BinaryLeNet().to(args.device)
    batch = 256
    steps = len(x) // batch
    optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, args.epochs * steps)
    for epoch in range(args.epochs):
        net.train()
        order = torch.randperm(len(x), device=args.device)
        for i in range(steps):
            picked = order[i * batch : (i + 1) * batch]
            loss = functional.cross_entropy(net(x[picked]), y[picked])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
            with torch.no_grad():
                for weight in net.weights.values():
                    weight.clamp_(-1, 1)
        if epoch % 10 == 9:
            print(f"epoch {epoch + 1}: loss {float(loss.detach()):.4f}", flush=True)
    arrays = fold(net.eval())
    guess = infer(arrays, (rows.x_val >= 128).astype(np.int8)).argmax(1)
    print(f"validation {np.mean(guess == rows.y_val):.4f}", flush=True)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(args.out, **arrays)


if __name__ == "__main__":
    main()
