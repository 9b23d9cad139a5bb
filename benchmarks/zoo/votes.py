"""Take votes away from a network of LUTs whose classes are sums of votes.

    python -m benchmarks.zoo.votes START.safetensors --data DIR --each 6 --out NAME.safetensors
        [--copies 4] [--shake 0.6] [--own 0.5] [--seed 5]

In each round every class loses the vote whose absence costs least loss on the training rows and
their perturbed copies; the loss follows the labels and, by the share `--own`, what the network
says with all its votes. Test rows are read for the record in the file alone.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import nnlogic
from benchmarks.zoo.refine import right, write
from benchmarks.zoo.row import rows_of
from nnlogic.core.archive import frozen
from nnlogic.core.formats import IntArray, Port
from nnlogic.quant.ir import QuantNet
from nnlogic.train.float_nets import shake_image

AT_ONCE = 18_000
"""Images perturbed at once."""
SCALES = np.arange(0.1, 1.5, 0.05)
Floats = NDArray[np.float64]


def main() -> None:
    """Drop votes, and write what is left."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("start", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--each", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--copies", type=int, default=4)
    parser.add_argument("--shake", type=float, default=0.6)
    parser.add_argument("--own", type=float, default=0.5)
    parser.add_argument("--seed", type=int, default=5)
    args = parser.parse_args()
    net = nnlogic.load(args.start)
    data = rows_of(net, args.start, args.data)
    torch.manual_seed(args.seed)
    plain = torch.from_numpy(data.x_train).split(AT_ONCE)
    parts = [data.x_train]
    for _ in range(args.copies):
        parts.append(torch.cat([shake_image(part, args.shake) for part in plain]).numpy())
    votes = np.concatenate([votes_of(net, net.encode(x)) for x in parts]).T.astype(bool)
    labels = np.tile(data.y_train, 1 + args.copies)
    classes = len(net.layers[-2].formats)
    live = dropped(votes.reshape(classes, -1, len(labels)), labels, args.each, args.own)
    made = without(net, live.reshape(-1), args.out.stem)

    def share(x: NDArray, y: IntArray) -> float:
        return float((made.evaluate(made.encode(x))[:, made.class_output] == y).mean())

    said = f"{live.sum()} of {live.size} votes"
    print(f"{said}: {100 * right(made, data.x_val, data.y_val):.2f} % of validation rows")
    training = {"of": net.name, "votes": said, "copies": args.copies}
    write(made, data, args.out, training, str(net.info["family"]))


def votes_of(net: QuantNet, codes: IntArray) -> IntArray:
    """Return what the layer that votes says, shape (samples, votes)."""
    voters = net.layers[-3]
    wires = tuple((Port(f"v{i}", f), voters.name, i) for i, f in enumerate(voters.formats))
    part = replace(net, layers=net.layers[:-2], output_wires=wires, info={})
    return part.evaluate(codes)


def dropped(votes: NDArray[np.bool_], labels: IntArray, each: int, own: float) -> NDArray[np.bool_]:
    """Return which votes stay, shape (classes, votes), after `each` of every class are dropped.

    Parameters
    ----------
    votes : bool array, shape (classes, votes, samples)
    labels : int array, shape (samples,)
    each : int
    own : float
        Share of the target that is what all votes say together.
    """
    live = np.ones(votes.shape[:2], np.bool_)
    sums = votes.sum(1).astype(np.float64)
    one = np.eye(len(sums))[labels].T
    scale = fitted(sums, one)
    said = np.exp(scale * sums)
    target = (1 - own) * one + own * said / said.sum(0)
    for _ in range(each):
        powers = np.exp(scale * sums)
        total = powers.sum(0)
        for c, row in enumerate(votes):
            # A vote is replaced by its mean, so that what is compared is what it tells.
            changes = {t: scale * (row[t].mean() - row[t]) for t in np.flatnonzero(live[c])}
            rest, mine, wanted = total - powers[c], powers[c], target[c]
            losses = {
                t: float((np.log(rest + mine * np.exp(d)) - wanted * d).mean())
                for t, d in changes.items()
            }
            gone = min(losses, key=losses.__getitem__)
            live[c, gone] = False
            sums[c] -= row[gone]
    return live


def fitted(sums: Floats, one: Floats) -> float:
    """Return the scale of the sums at which their softmax fits the labels best."""

    def loss(scale: float) -> float:
        return float((np.log(np.exp(scale * sums).sum(0)) - scale * (one * sums).sum(0)).mean())

    return float(min(SCALES, key=loss))


def without(net: QuantNet, live: NDArray[np.bool_], name: str) -> QuantNet:
    """Return the network without votes that do not stay."""
    voters, counter, last = net.layers[-3:]
    kept = np.flatnonzero(live)

    def chosen(values: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(values[i] for i in kept)

    fewer = replace(
        voters,
        inputs=chosen(voters.inputs), tables=chosen(voters.tables), formats=chosen(voters.formats),
    )  # fmt: skip
    weights = frozen(np.asarray(counter.weights)[:, kept], np.int64)
    layers = (*net.layers[:-3], fewer, replace(counter, weights=weights), last)
    made = replace(net, name=name, layers=layers)
    made.verify()
    return made


if __name__ == "__main__":
    main()
