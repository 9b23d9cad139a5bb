"""Number formats on one recipe: accuracy against compiled LUT6, and a mix chosen by sensitivity."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from nnlogic.core.archive import write_bytes
from nnlogic.core.errors import Problem, UsageError
from nnlogic.core.progress import SILENT, Progress
from nnlogic.data import Dataset
from nnlogic.frontend import load
from nnlogic.model.layer import PLAIN, PRUNED
from nnlogic.nn.checkpoint import load_network
from nnlogic.nn.families.linear import LinearSums
from nnlogic.nn.quantizers import FormattedWeights
from nnlogic.predict.cost import live_neurons
from nnlogic.quant.ir import QuantNet
from nnlogic.quant.layer import Sums
from nnlogic.quant.numbers import numbers
from nnlogic.train.recipe import Recipe
from nnlogic.train.recipe_data import as_seen_from, load_dataset
from nnlogic.train.recipe_file import recipe_text
from nnlogic.train.sensitivity import weight_importance
from nnlogic.train.trainer import train

RANDOM = "random"
OF = ("weights", "activations", "both")
BASE, MIX = "as given", "mix"
ROWS = 2048


@dataclass(frozen=True)
class Compared:
    """One network of a comparison.

    Attributes
    ----------
    name : str
        The format; `BASE` or `MIX`.
    validation, test : float
        Accuracies; no choice here was made by the test rows.
    luts, depth : int
        Compiled, everything counted.
    dsps : int
        Products of sums by weights that are no power of two, of neurons that some output needs: so
        many DSP slices multiply them at a sample per clock, where each does one.
    formats : dict of str to str
        Of each layer that has one.
    recipe, checkpoint : Path
    """

    name: str
    validation: float
    test: float
    luts: int
    depth: int
    dsps: int
    formats: dict[str, str]
    recipe: Path
    checkpoint: Path


def compare_formats(
    recipe: Recipe,
    formats: Sequence[str],
    *,
    out: Path,
    size: Callable[[QuantNet], tuple[int, int]],
    of: str = "weights",
    mix: Sequence[str] = (),
    mix_bits: float = 0.0,
    epochs: int = 0,
    epoch_rows: int = 0,
    gradient: str = "straight",
    data_dir: Path | str | None = None,
    progress: Progress = SILENT,
) -> tuple[Compared, ...]:
    """Train and compile a recipe as it is, in each number format, and in a mix of some.

    Parameters
    ----------
    recipe : Recipe
        Formats take the place of the weights, and activations, of its linear layers.
    formats : sequence of str
    out : Path
        A folder for each network. What is there already, of the same recipe, is not done again.
    size : callable
        Compiles a network and returns its LUT6 and depth; `nnlogic.train` does not know how.
    of : str
        ``"weights"``, ``"activations"`` (but of the last layer), or ``"both"``.
    mix : sequence of str
        Formats to choose from for the weights of each layer, see `mixed`.
    mix_bits : float
        Most bits of a weight of the mix, in the mean; 0 for no bound.
    epochs, epoch_rows : int
        Instead of the recipe's; 0 for the recipe's.
    gradient : str
        See `nnlogic.nn.quantizers.FormattedWeights`.

    Raises
    ------
    UsageError
        A format, or the recipe, does not fit; or the folder holds another comparison.
    """
    _refuse(recipe, formats, of, mix)
    recipe = dataclasses.replace(
        recipe,
        epochs=epochs or recipe.epochs,
        epoch_rows=epoch_rows or recipe.epoch_rows,
        float_epochs=recipe.float_epochs if recipe.distill else 0,
    )
    rows = []
    with progress.step(f"formats of {recipe.name}", 1 + len(formats) + bool(mix)) as step:
        done = _Comparison(out, size, data_dir)
        rows.append(done.row(BASE, recipe, {}))
        step.advance(note=_note(rows[-1]))
        for name in formats:
            chosen = dict.fromkeys(_places(recipe), str(numbers(name)))
            rows.append(done.row(name, in_formats(recipe, chosen, of, gradient), chosen))
            step.advance(note=_note(rows[-1]))
        if mix:
            chosen = mixed(rows[0].checkpoint, load_dataset(recipe, data_dir), mix, mix_bits)
            rows.append(done.row(MIX, in_formats(recipe, chosen, "weights", gradient), chosen))
            step.advance(note=_note(rows[-1]))
    return tuple(rows)


def _note(row: Compared) -> str:
    return f"{row.name}: {100 * row.validation:.2f} % at {row.luts}"


def _refuse(recipe: Recipe, formats: Sequence[str], of: str, mix: Sequence[str]) -> None:
    problems = []
    for name in (*formats, *mix):
        try:
            numbers(name)
        except UsageError as error:
            problems.append(Problem(name, error.why, error.fix))
    if of not in OF:
        problems.append(Problem("of", f"{of!r}, known are {', '.join(OF)}"))
    if not _places(recipe):
        why = "no linear layer, and formats are those of linear sums"
        problems.append(Problem(recipe.name, why, 'family = "linear", or no family'))
    if recipe.task != "classification":
        problems.append(Problem("task", f"{recipe.task!r}, accuracies are of classes"))
    if mix and not recipe.plain:
        why = "a mix needs layers without a family, whose float weights a checkpoint keeps"
        problems.append(Problem("mix", why, "leave family out, or leave out the mix"))
    if problems:
        raise UsageError("formats cannot be compared", problems=problems)


def _places(recipe: Recipe) -> list[str]:
    return [s.name for s in recipe.layers if s.family in (PLAIN, LinearSums.kind)]


def in_formats(
    recipe: Recipe, formats: Mapping[str, str], of: str = "weights", gradient: str = "straight"
) -> Recipe:
    """Return a recipe with layers, by name, in number formats; linear layers get their family."""
    layers = []
    for i, spec in enumerate(recipe.layers):
        found: dict[str, Any] = {}
        if spec.family == PLAIN:
            pruned = recipe.pruning == "gradual" and of == "weights"
            found |= {"family": LinearSums.kind, "connect": PRUNED if pruned else RANDOM}
        if spec.name in formats:
            name, last = formats[spec.name], i == len(recipe.layers) - 1
            if of != "activations":
                own = {"weights": name, "gradient": gradient}
                kept = {k: v for k, v in spec.options.items() if k != "weight_bits"}
                found["options"] = {**kept, **own}
            if of != "weights":
                found["connect"] = RANDOM
                if not last:
                    found |= {"activation": name, "bits": numbers(name).bits}
        layers.append(dataclasses.replace(spec, **found))
    return dataclasses.replace(recipe, layers=tuple(layers))


def mixed(
    checkpoint: Path, dataset: Dataset, formats: Sequence[str], bits: float = 0.0
) -> dict[str, str]:
    """Choose a format for each layer by what rounding the trained weights to it costs.

    The cost of a weight is its importance, the mean square of the loss's gradient, times the square
    of its rounding error; of a layer their sum (Azizi et al. 2023 choose so between Posit4 and
    FixP4). Layers begin with the format of least cost. While the mean of bits is too large, the
    change that costs least for each bit it saves is made.

    Parameters
    ----------
    checkpoint : Path
        A native one with float weights.
    dataset : Dataset
        Its validation rows are used.
    formats : sequence of str
    bits : float
        Most bits of a weight, in the mean over weights; 0 for no bound.

    Raises
    ------
    UsageError
        The formats have more bits.
    """
    network = load_network(checkpoint)
    with torch.no_grad():
        codes = network.quantizer(torch.from_numpy(dataset.x_val[:ROWS]))
    labels = torch.from_numpy(dataset.y_val[:ROWS])
    importance = weight_importance(network, codes, labels)
    cost: dict[str, dict[str, float]] = {}
    count: dict[str, int] = {}
    for layer in network.blocks:
        name, weight, mask = layer.spec.name, layer.linear.weight.detach(), layer.linear.mask
        count[name] = int(mask.sum())
        cost[name] = {}
        for fmt in formats:
            error = FormattedWeights(fmt)(weight, mask) - weight * mask
            cost[name][fmt] = float((importance[name] * error.square()).sum())
    return cheapest_mix(cost, count, {fmt: numbers(fmt).bits for fmt in formats}, bits)


def cheapest_mix(
    cost: Mapping[str, Mapping[str, float]],
    count: Mapping[str, int],
    bits: Mapping[str, int],
    most: float,
) -> dict[str, str]:
    """Return a format for each layer, see `mixed`.

    Parameters
    ----------
    cost : mapping of str to mapping
        By layer and format.
    count : mapping of str to int
        Weights of each layer.
    bits : mapping of str to int
        Of each format.
    most : float
        Bits of a weight in the mean; 0 for no bound.

    Raises
    ------
    UsageError
        No mix is so small.
    """
    out = {layer: min(costs, key=lambda f: costs[f]) for layer, costs in cost.items()}
    while most and sum(count[k] * bits[f] for k, f in out.items()) > most * sum(count.values()):
        moves = [
            ((cost[k][f] - cost[k][out[k]]) / (count[k] * (bits[out[k]] - bits[f])), k, f)
            for k in out
            for f in cost[k]
            if bits[f] < bits[out[k]]
        ]
        if not moves:
            why = f"{most} bits in the mean, the least of the formats is {min(bits.values())}"
            raise UsageError("no mix is so small", why=why, fix="more bits, or smaller formats")
        _, layer, fmt = min(moves)
        out[layer] = fmt
    return out


def count_products(net: QuantNet) -> int:
    """Return how many products of a network are by weights that are no power of two."""
    live = live_neurons(net)
    total = 0
    for layer in net.layers:
        if isinstance(layer.arithmetic, Sums):
            weights = np.abs(layer.arithmetic.weights[live[layer.name]])
            total += int(np.count_nonzero(weights & (weights - 1)))
    return total


@dataclass
class _Comparison:
    out: Path
    size: Callable[[QuantNet], tuple[int, int]]
    data_dir: Path | str | None

    def row(self, name: str, recipe: Recipe, formats: dict[str, str]) -> Compared:
        """Return one network, trained and compiled now or before."""
        short = re.sub(r"\W+", "_", name).strip("_")
        recipe = dataclasses.replace(recipe, name=f"{recipe.name}_{short}")
        place = self.out / short
        file, known = place / "row.json", place / f"{recipe.name}.toml"
        checkpoint = place / f"{recipe.name}.safetensors"
        text = recipe_text(as_seen_from(recipe, place), f"A comparison of number formats: {name}.")
        if known.exists() and known.read_text("utf-8") != text:
            raise UsageError(
                "the folder holds another comparison", where=str(place),
                why="its recipe differs from this one", fix="choose another folder (-o)",
            )  # fmt: skip
        if file.exists():
            found = json.loads(file.read_text("utf-8"))
        else:
            result = train(recipe, out=place, data_dir=self.data_dir, resume=True)
            write_bytes(known, text.encode())
            luts, depth = self.size(load(result.checkpoint))
            found = {
                "validation": result.accuracy["validation"], "test": result.accuracy["table"],
                "luts": luts, "depth": depth,
            }  # fmt: skip
            write_bytes(file, json.dumps(found).encode())
        products = count_products(load(checkpoint))
        return Compared(
            name=name, dsps=products, formats=formats, recipe=known, checkpoint=checkpoint, **found
        )
