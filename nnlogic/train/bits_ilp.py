"""Bits and fan-in of every layer under a LUT budget, by integer linear programming.

After HAWQ-V3 (Yao et al. 2021): minimize the sum of sensitivity times perturbation under a bound
on cost. The cost is in predicted LUT6, and depends on the bits a layer reads as well as on its
own: a variable stands for a pair of options of neighbouring layers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.errors import UsageError
from nnlogic.predict.cost import CostModel
from nnlogic.train.sensitivity import LayerSensitivity

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LayerOption:
    """One way to build a layer.

    Attributes
    ----------
    bits : int
        Of its output code.
    fan_in : int
    loss : float
        Estimated rise of the loss.
    """

    bits: int
    fan_in: int
    loss: float


@dataclass(frozen=True)
class LayerChoices:
    """What a layer can be.

    Attributes
    ----------
    name : str
    width : int
    options : tuple of LayerOption
    """

    name: str
    width: int
    options: tuple[LayerOption, ...]


@dataclass(frozen=True)
class Allocation:
    """The best choice for every layer.

    Attributes
    ----------
    options : tuple of LayerOption
    layer_luts : tuple of float
        Predicted, of all neurons of each layer; neither sharing nor argmax counted.
    loss : float
        Sum of the estimated rises of the loss.
    """

    options: tuple[LayerOption, ...]
    layer_luts: tuple[float, ...]
    loss: float

    @property
    def luts(self) -> float:
        """LUT6 of all layers."""
        return sum(self.layer_luts)


def layer_choices(
    layer: LayerSensitivity, bits: Sequence[int], fan_ins: Sequence[int]
) -> LayerChoices:
    """Return all pairs of bits and fan-in of a measured layer, with what each costs the loss."""
    options = tuple(
        LayerOption(b, f, layer.rounding(b) + layer.cutting(f)) for b in bits for f in fan_ins
    )
    return LayerChoices(layer.name, len(layer.trace), options)


def allocate(
    layers: Sequence[LayerChoices],
    *,
    budget: float,
    input_bits: int,
    model: CostModel,
    fan_in_limit: int = 12,
) -> Allocation:
    """Choose an option per layer: least loss within a LUT budget.

    Parameters
    ----------
    layers : sequence of LayerChoices
        In order; each reads the one before.
    budget : float
        LUT6 of all neurons together.
    input_bits : int
        Bits of a code the first layer reads.
    model : CostModel
    fan_in_limit : int
        Most input bits of a neuron.

    Raises
    ------
    UsageError
        No choice fits: by how much, and what would.
    """
    problem = _Paths(layers, input_bits, model, fan_in_limit)
    best = problem.solve(problem.loss, budget)
    if best is not None:
        return best
    cheapest = problem.solve(problem.luts, np.inf)
    if cheapest is None:
        raise UsageError(
            "no allocation of bits keeps every neuron narrow enough",
            why=f"each one has a layer of more than {fan_in_limit} input bits",
            fix="offer fewer bits or a smaller fan-in, or raise fan_in_limit",
        )
    short = cheapest.luts - budget
    dearest = layers[int(np.argmax(cheapest.layer_luts))].name
    raise UsageError(
        "the LUT budget cannot be met",
        why=f"the cheapest allocation needs {cheapest.luts:.0f} LUT6, {short:.0f} more than the "
        f"budget of {budget:.0f}: {_words(layers, cheapest)}",
        fix=f"allow {int(np.ceil(cheapest.luts))} LUT6, offer fewer bits or a smaller fan-in, or "
        f"narrow the dearest layer, {dearest}",
    )


def _words(layers: Sequence[LayerChoices], allocation: Allocation) -> str:
    return ", ".join(
        f"{layer.name} {option.bits} bits, fan-in {option.fan_in}"
        for layer, option in zip(layers, allocation.options, strict=True)
    )


class _Paths:
    """Variables are edges: (layer, option of the layer before, its own option)."""

    def __init__(
        self, layers: Sequence[LayerChoices], input_bits: int, model: CostModel, limit: int
    ) -> None:
        self.layers = layers
        self.edges: list[tuple[int, int, int]] = []
        luts, loss = [], []
        before: tuple[LayerOption, ...] = (LayerOption(input_bits, 0, 0.0),)
        for number, layer in enumerate(layers):
            for i, source in enumerate(before):
                for j, option in enumerate(layer.options):
                    in_bits = source.bits * option.fan_in
                    if in_bits <= limit:
                        self.edges.append((number, i, j))
                        luts.append(layer.width * float(model.neuron(in_bits, option.bits)))
                        loss.append(option.loss)
            before = layer.options
        self.luts, self.loss = np.array(luts), np.array(loss)

    def solve(self, objective: Floats, budget: float) -> Allocation | None:
        """Return the path of least `objective` within `budget`, or None."""
        from scipy.optimize import Bounds, LinearConstraint, milp

        if {number for number, _, _ in self.edges} != set(range(len(self.layers))):
            return None
        rows, right = self._flow()
        constraints = [LinearConstraint(rows, right, right)]
        if np.isfinite(budget):
            constraints.append(LinearConstraint(self.luts[None, :], -np.inf, budget))
        # Losses may be far below the solver's tolerances: scale them to one.
        scale = float(np.abs(objective).max()) or 1.0
        found = milp(
            objective / scale,
            integrality=np.ones(len(self.edges)),
            bounds=Bounds(0, 1),
            constraints=constraints,
            options={"mip_rel_gap": 0.0},
        )
        if found.x is None:
            return None
        taken = np.flatnonzero(found.x > 0.5)
        options = tuple(self.layers[n].options[j] for n, _, j in (self.edges[k] for k in taken))
        luts = tuple(float(cost) for cost in self.luts[taken])
        return Allocation(options, luts, float(self.loss[taken].sum()))

    def _flow(self) -> tuple[Floats, Floats]:
        # One edge per layer, and each edge continues the one before.
        rows, right = [], []
        for number, layer in enumerate(self.layers):
            rows.append([float(n == number) for n, _, _ in self.edges])
            right.append(1.0)
            if number + 1 == len(self.layers):
                continue
            for j in range(len(layer.options)):
                arrive = [float(e[0] == number and e[2] == j) for e in self.edges]
                leave = [float(e[0] == number + 1 and e[1] == j) for e in self.edges]
                rows.append((np.array(arrive) - np.array(leave)).tolist())
                right.append(0.0)
        return np.array(rows), np.array(right)
