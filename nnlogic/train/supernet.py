"""Sub-networks of one trained network: its weights, where theirs begin.

After Once-for-All (Cai et al. 2020, section 3.3): the largest network of a space is trained once,
and smaller ones take over its weights: of each layer the neurons that matter most to the next
(the L1 norm of what reads them), and their connections. What differs in bits keeps its range.
There, sub-networks are used as they are or after a short fine-tuning; here each is trained
further, for as long as a trial takes.
"""

from __future__ import annotations

import torch
from torch import Tensor

from nnlogic.nn.families.linear import LinearSums
from nnlogic.nn.network import Network
from nnlogic.train.search_space import SearchSpace


def largest(space: SearchSpace) -> dict[str, int]:
    """Return the point with most of everything; fan-ins are as large as the bits read allow."""
    point = {name: max(values) for name, values in space.choices.items()}
    recipe = space.recipe(point)
    bits = recipe.input_bits
    for spec in recipe.layers:
        name = f"{spec.name}.fan_in"
        if name in point and spec.fan_in * bits > recipe.fan_in_limit:
            narrow = [f for f in space.choices[name] if f * bits <= recipe.fan_in_limit]
            point[name] = max(narrow, default=min(space.choices[name]))
        bits = spec.bits
    while not space.fits(point):
        # A layer without a choice of fan-in bounds the bits it reads.
        wide = [n for n in point if n.endswith(".bits") and point[n] > min(space.choices[n])]
        if not wide:
            return space.base_params()
        name = max(wide, key=lambda n: point[n])
        point[name] = max(v for v in space.choices[name] if v < point[name])
    return point


@torch.no_grad()
def inherit(network: Network, whole: Network) -> int:
    """Give a network that is not trained yet the weights of a larger one, where they fit.

    A layer takes over weights when the layer before it is the same in both.

    Parameters
    ----------
    network, whole : Network

    Returns
    -------
    int
        Layers that took over weights.
    """
    given = {block.spec.name: i for i, block in enumerate(whole.blocks)}
    kept: Tensor = torch.arange(len(network.arch.features))
    before, taken = "", 0
    # Input codes are values one apart: fewer bits, a smaller range.
    factor = _steps(max(whole.input_bits)) / _steps(max(network.input_bits))
    for block in network.blocks:
        name = block.spec.name
        at = given.get(name, -1)
        was = whole.blocks[at - 1].spec.name if at > 0 else ""
        if at < 0 or was != before or whole.blocks[at].spec.width < block.spec.width:
            before, kept = name, torch.arange(block.spec.width)
            continue
        source = whole.blocks[at]
        chosen = _strongest(whole, at, block.spec.width)
        weight = (source.linear.weight * source.linear.mask)[chosen][:, kept]
        if weight.shape != block.linear.weight.shape:
            before, kept = name, torch.arange(block.spec.width)
            continue
        block.linear.weight.copy_(weight * factor)
        block.linear.mask.copy_(weight != 0)
        for key, tensor in block.affine().items():
            tensor.copy_(source.affine()[key][chosen])
        _keep_range(block, source)
        before, kept, factor, taken = name, chosen, 1.0, taken + 1
    return taken


def _steps(bits: int) -> float:
    return float((1 << bits) - 1)


def _strongest(whole: Network, at: int, width: int) -> Tensor:
    if at + 1 == len(whole.blocks):
        return torch.arange(width)
    after = whole.blocks[at + 1].linear
    weight = (after.weight * after.mask).abs().sum(0)
    return weight.topk(width).indices.sort().values


def _keep_range(block: LinearSums, source: LinearSums) -> None:
    ratio = _steps(source.spec.bits) / _steps(block.spec.bits)
    block.activation.set_scale(float(source.activation.scale) * ratio)
