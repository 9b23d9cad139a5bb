"""Activation quantizers with straight-through gradients, and the input quantizer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from nnlogic.core.errors import UsageError
from nnlogic.nn.quantizers.base import Activation
from nnlogic.nn.quantizers.codebook import Codebook
from nnlogic.nn.quantizers.formatted import GRADIENTS, Formatted, FormattedWeights
from nnlogic.nn.quantizers.inputs import FeatureQuantizer, fit_thresholds
from nnlogic.nn.quantizers.learned_bits import LearnedBits
from nnlogic.nn.quantizers.qfx import QFX
from nnlogic.nn.quantizers.rebnet import MOST_LEVELS, ReBNet
from nnlogic.nn.quantizers.straight import forward_as, round_half_up
from nnlogic.nn.quantizers.uniform import PACT, Sign, SignedUniform, Uniform
from nnlogic.quant.numbers import is_numbers, numbers

__all__ = [
    "GRADIENTS",
    "KINDS",
    "MOST_LEVELS",
    "PACT",
    "QFX",
    "Activation",
    "Codebook",
    "FeatureQuantizer",
    "Formatted",
    "FormattedWeights",
    "LearnedBits",
    "ReBNet",
    "Sign",
    "SignedUniform",
    "Uniform",
    "activation_problems",
    "fit_thresholds",
    "forward_as",
    "make_activation",
    "round_half_up",
]

KINDS: Mapping[str, Callable[[int], Activation]] = {
    "sign": lambda bits: Sign(),
    "pact": PACT,
    "signed_uniform": SignedUniform,
    "qfx": QFX,
    "rebnet": ReBNet,
    "codebook": Codebook,
}
"""Activations by the name a recipe uses; each is made from its bits.

`LearnedBits` is made from the number of neurons as well, and known to families only. A number
format, such as ``"posit(4,1)"``, is one too and has its own bits, see `nnlogic.quant.numbers`."""


class AsksForActivation(Protocol):
    """Anything that names an activation and its bits, such as a layer of a recipe."""

    @property
    def activation(self) -> str:
        """A name in `KINDS`."""

    @property
    def bits(self) -> int:
        """Bits of the code."""

    @property
    def width(self) -> int:
        """Neurons."""


def activation_problems(activation: str, bits: int, more: tuple[str, ...] = ()) -> list[str]:
    """Return what is wrong with an activation of a recipe; names in `more` are right, too."""
    if is_numbers(activation):
        try:
            own = numbers(activation).bits
        except UsageError as error:
            return [f"activation: {error.what}: {error.why}"]
        return [] if bits == own else [f"bits {bits}, {activation} has {own}"]
    names = (*KINDS, *more)
    if activation not in names:
        known = ", ".join((*names, "a number format such as posit(4,1)"))
        return [f"activation {activation!r}, known are {known}"]
    if activation == "rebnet" and bits > MOST_LEVELS:
        return [f"bits {bits}, residual binarization has up to {MOST_LEVELS}"]
    return []


def make_activation(spec: AsksForActivation) -> Activation:
    """Return the activation a layer asks for.

    Raises
    ------
    UsageError
        No such activation.
    """
    if spec.activation == LearnedBits.kind:
        return LearnedBits(spec.bits, width=spec.width)
    if is_numbers(spec.activation):
        return Formatted(spec.activation)
    if spec.activation not in KINDS:
        raise UsageError(
            "no such activation", why=f"{spec.activation!r}", fix=f"known are {', '.join(KINDS)}"
        )
    return KINDS[spec.activation](spec.bits)
