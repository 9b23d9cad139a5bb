"""Architecture as data: what a native checkpoint says about its network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from nnlogic.core.errors import CheckpointError, Problem, TooWide
from nnlogic.core.limits import CLASSES, FEATURES, LAYERS, NEURONS, WEIGHTS
from nnlogic.core.values import shown
from nnlogic.model.keys import key_problems, keys_of, type_problems
from nnlogic.model.layer import LayerSpec, plain_layer

FAN_IN_BITS = 12
"""Default bound on the input bits of a neuron: its table then has at most 4096 rows."""

MOST_PROBLEMS = 50
"""Problems of a file listed at most."""


@dataclass(frozen=True, slots=True)
class Architecture:
    """A classifier: input codes, linear layers one after another, argmax over the last.

    Attributes
    ----------
    name : str
    features : tuple of str
        Names of the raw inputs.
    input_bits : tuple of int
        Bits of each input code.
    classes : tuple of str
        Names of the outputs of the last layer.
    layers : tuple of LayerSpec
        Plain ones, see `nnlogic.model.layer.plain_layer`.
    norm_eps : float
        ``eps`` of all batch-norms.
    """

    name: str
    features: tuple[str, ...]
    input_bits: tuple[int, ...]
    classes: tuple[str, ...]
    layers: tuple[LayerSpec, ...]
    norm_eps: float = 1e-5

    def in_bits(self, index: int) -> tuple[int, ...]:
        """Return the bits of each input of layer `index`."""
        if index == 0:
            return self.input_bits
        return (self.layers[index - 1].bits,) * self.layers[index - 1].width

    def problems(self) -> list[Problem]:
        """Return what contradicts itself."""
        out = self._size_problems()
        if out:
            return out
        out = [Problem(spec.name, why) for spec in self.layers for why in spec.problems()]
        if not self.layers:
            return [Problem("layers", "there are none")]
        if not self.features:
            out.append(Problem("features", "there are none"))
        if len(self.input_bits) != len(self.features):
            out.append(
                Problem("input_bits", f"{len(self.input_bits)} for {len(self.features)} features")
            )
        if any(not 1 <= b <= 8 for b in self.input_bits):
            worst = max(self.input_bits, key=lambda b: abs(b - 4))
            out.append(Problem("input_bits", f"{worst}, allowed 1 to 8 each"))
        if not 0 <= self.norm_eps <= 1:
            out.append(Problem("norm_eps", f"{self.norm_eps}, need 0 to 1"))
        if self.layers[-1].width != len(self.classes):
            why = f"width {self.layers[-1].width} for {len(self.classes)} classes"
            out.append(Problem(self.layers[-1].name, why))
        for what, names in (
            ("features", self.features),
            ("classes", self.classes),
            ("layers", tuple(spec.name for spec in self.layers)),
        ):
            twice = sorted(n for n, times in Counter(names).items() if times > 1)
            if twice:
                out.append(Problem(what, f"named twice: {', '.join(twice)}"))
        return out

    def _size_problems(self) -> list[Problem]:
        out = FEATURES.problems("features", len(self.features))
        out += CLASSES.problems("classes", len(self.classes))
        out += LAYERS.problems("layers", len(self.layers))
        before = len(self.features)
        for spec in self.layers:
            out += NEURONS.problems(spec.name, spec.width)
            out += WEIGHTS.problems(spec.name, spec.width * before)
            before = spec.width
        return out

    def require_enumerable(self, limit: int = FAN_IN_BITS) -> None:
        """Raise TooWide, with every layer concerned, when a fan-in exceeds `limit` bits."""
        problems = []
        for index, spec in enumerate(self.layers):
            bits = sorted(self.in_bits(index), reverse=True)
            width = sum(bits[: spec.fan_in or len(bits)])
            if width > limit:
                problems.append(
                    Problem(
                        spec.name,
                        f"fan-in of {width} bits, limit {limit}",
                        f"fan_in = {max(1, limit // bits[0])}, or fewer bits per input",
                    )
                )
        if problems:
            raise TooWide("neurons too wide to enumerate", where=self.name, problems=problems)

    def to_meta(self) -> dict[str, Any]:
        """Return a JSON form."""
        return {**asdict(self), "layers": [spec.to_meta() for spec in self.layers]}

    @staticmethod
    def from_meta(meta: Mapping[str, Any], where: str) -> Architecture:
        """Inverse of `to_meta`; an unknown or missing attribute is an error.

        Raises
        ------
        CheckpointError
            With all problems found.
        """
        known, known_layer = keys_of(Architecture), keys_of(plain_layer)
        problems = key_problems("architecture", meta, known, optional=())
        problems += type_problems("architecture", meta, known)
        layers = meta.get("layers", ())
        for i, item in enumerate(layers if isinstance(layers, list | tuple) else ()):
            if not isinstance(item, Mapping):
                problems.append(Problem(f"layer {i}", f"{shown(item)}, need a table"))
                continue
            place = str(item.get("name", f"layer {i}"))[:80]
            problems += key_problems(place, item, known_layer, optional=())
            problems += type_problems(place, item, known_layer)
        if problems:
            raise CheckpointError(
                "architecture not understood", where=where, problems=problems[:MOST_PROBLEMS]
            )
        out = Architecture(
            name=meta["name"],
            features=tuple(meta["features"]),
            input_bits=tuple(meta["input_bits"]),
            classes=tuple(meta["classes"]),
            layers=tuple(plain_layer(**item) for item in layers),
            norm_eps=float(meta["norm_eps"]),
        )
        problems = out.problems()[:MOST_PROBLEMS]
        if problems:
            raise CheckpointError("architecture contradicts itself", where=where, problems=problems)
        return out
