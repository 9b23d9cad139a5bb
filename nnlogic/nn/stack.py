"""Networks of any families, one after another, and what they are in eval mode: integers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from nnlogic.core.archive import frozen
from nnlogic.core.errors import Problem, TooWide, UsageError
from nnlogic.core.formats import IntFormat, Port
from nnlogic.model.architecture import FAN_IN_BITS
from nnlogic.model.layer import LayerSpec
from nnlogic.model.outputs import classes_said, quantities_said
from nnlogic.nn.classifier import Classifier
from nnlogic.nn.codes import Codes, input_codes
from nnlogic.nn.families import make_family
from nnlogic.nn.family import Family, refuse
from nnlogic.nn.quantizers import FeatureQuantizer, LearnedBits, Uniform
from nnlogic.quant.ir import INPUT, InputQuantizer, Layer, QuantNet

FAKE_ROWS = 4096


class Stack(Classifier):
    """Input codes, families in order, argmax over the last, or quantities as its codes.

    In training mode ``forward`` runs the fake-quantized float graph. In eval mode it looks up the
    tables, the very ones that are compiled, so model and hardware cannot differ.

    Parameters
    ----------
    name : str
    features, classes : tuple of str
        Of quantities their names, and `quantities` is set afterwards.
    input_bits : tuple of int
        Bits of each input code.
    specs : tuple of LayerSpec
        The last one has one neuron per class, or quantity.
    seed : int
        Of connections and initial weights.
    fan_in_limit : int
        Most input bits of a table.

    Raises
    ------
    TooWide
        A table would read more bits than `fan_in_limit`; all layers concerned are listed.
    UsageError
        The last layer does not give one score per class.
    UnsupportedModel
        A family cannot read what the layer before it gives.
    """

    def __init__(
        self,
        name: str,
        features: tuple[str, ...],
        classes: tuple[str, ...],
        input_bits: tuple[int, ...],
        specs: tuple[LayerSpec, ...],
        *,
        seed: int = 0,
        fan_in_limit: int = FAN_IN_BITS,
    ) -> None:
        super().__init__()
        self.name, self.features, self.classes = name, features, classes
        self.input_bits = input_bits
        self.quantizer = FeatureQuantizer(input_bits)
        self.layers = nn.ModuleList()
        generator = torch.Generator().manual_seed(seed)
        x, wide, odd = self.input_codes(), [], []
        for spec in specs:
            layer = make_family(x, spec, generator)
            width = layer.fan_in_bits(x)
            if width > fan_in_limit:
                fix = f"fan_in = {max(1, fan_in_limit // max(x.bits))}, or fewer bits per input"
                wide.append(
                    Problem(spec.name, f"fan-in of {width} bits, limit {fan_in_limit}", fix)
                )
            self.layers.append(layer)
            x = layer.output(x)
        last = specs[-1].name
        if len(x.bits) != len(classes):
            odd.append(Problem(last, f"width {len(x.bits)} for {len(classes)} classes"))
        elif specs[-1].activation == LearnedBits.kind:
            odd.append(Problem(last, "learned_bits: its codes come to stand for different values"))
        elif not _comparable(x):
            odd.append(Problem(last, "its codes stand for different values, scores must not"))
        if odd:
            raise UsageError("layers do not fit together", where=name, problems=[*odd, *wide])
        if wide:
            raise TooWide("neurons too wide to enumerate", where=name, problems=wide)

    def input_codes(self) -> Codes:
        """Return what the first layer reads."""
        return input_codes(self.input_bits)

    @property
    def families(self) -> list[Family]:
        """The layers, in order."""
        return [layer for layer in self.layers if isinstance(layer, Family)]

    def traced(self) -> Iterator[tuple[Family, Codes]]:
        """Yield each layer with what it reads, as learned so far."""
        x, before = self.input_codes(), None
        for layer in self.families:
            # What the last layer gives is not asked for: of plain sums it takes long to know.
            x = x if before is None else before.output(x)
            yield layer, x
            before = layer

    def values(self, codes: Tensor) -> Tensor:
        """Return the float values of input codes, (samples, features)."""
        zero = (1 << max(self.input_bits)) - 1
        return (codes.to(torch.float32) * 2 - zero) * (2.0 / (zero + 1))

    @torch.no_grad()
    def fit(self, rows: NDArray) -> None:
        """Let layers that are fitted see raw training rows; afterwards they are as in training."""
        last = max((i for i, layer in enumerate(self.families) if layer.fits), default=-1)
        before = self.training
        self.eval()
        values = self.values(self.quantizer(torch.from_numpy(np.asarray(rows, np.float32))))
        for layer in self.families[: last + 1]:
            if layer.fits:
                layer.fit(values)
            values = layer(values)
        self.train(before)

    def body(self, values: Tensor) -> Tensor:
        """Return class scores of the fake-quantized graph for input values."""
        if any(layer.pads for layer in self.families):
            for layer, x in self.traced():
                if layer.pads:
                    layer.notice(x)
        for layer in self.families:
            values = layer(values)
        return values

    def scores(self, codes: Tensor) -> Tensor:
        """Return class scores (float values) for input codes, (samples, classes)."""
        if self.training:
            return self.body(self.values(codes))
        exact, x = self.score_codes(codes)
        columns = torch.arange(len(x.bits), device=exact.device)
        return x.values.to(exact.device)[columns, exact]

    @torch.no_grad()
    def score_codes(self, codes: Tensor) -> tuple[Tensor, Codes]:
        """Return the exact score codes (samples, classes) for input codes, and their meaning."""
        x = self.input_codes()
        out = codes.to(torch.int64)
        for layer, x in self.traced():
            out = layer.evaluate(out, x)
        return out, self.families[-1].output(x)

    def exact_scores(self, codes: Tensor) -> Tensor:
        """Return exact integer scores, int64 (samples, classes), for input codes."""
        return self.score_codes(codes)[0]

    def outputs(self, values: Tensor) -> Tensor:
        """Return what the task sees of the values of the last layer, see `body`.

        Scores are values. Quantities are codes: values in steps of the last quantizer, above its
        lowest one.

        Raises
        ------
        UnsupportedModel
            The last layer gives no uniform levels, so that its codes are no quantities.
        """
        if not self.quantities:
            return values
        activation = self._last_activation()
        return values / activation.scale - activation.zero

    def _last_activation(self) -> Uniform:
        last = self.families[-1]
        activation = getattr(last, "activation", None)
        if not isinstance(activation, Uniform):
            why = (
                f"family {last.kind} with activation {last.spec.activation!r} has no uniform codes"
            )
            fix = 'activation = "signed_uniform" and bits; families linear, poly, subnet, kan'
            raise refuse(last.spec, f"it gives quantities, and {why}", fix)
        return activation

    @torch.no_grad()
    def start_at(self, middle: Tensor, spread: Tensor) -> None:
        """Let untrained codes of quantities lie around their means, some of the spread away."""
        last, activation = self.families[-1], self._last_activation()
        scale = activation.scale.cpu()
        norm, bias = getattr(last, "norm", None), getattr(last, "bias", None)
        if isinstance(norm, nn.BatchNorm1d):
            norm.weight.copy_(scale * spread / 2)
        if norm is not None:
            bias = norm.bias
        if bias is not None:
            bias.copy_(scale * (middle + activation.zero))

    @torch.no_grad()
    def fake(self, rows: NDArray) -> Tensor:
        """Return `outputs` of the fake-quantized float32 graph for raw rows, in eval mode.

        They differ from the exact ones only where a float32 sum rounds across a threshold.
        """
        self.eval()
        device = self.quantizer.thresholds.device
        raw = torch.from_numpy(np.asarray(rows, dtype=np.float32)).to(device)
        parts = [self.body(self.values(self.quantizer(part))) for part in raw.split(FAKE_ROWS)]
        return self.outputs(torch.cat(parts))

    def prune(self, progress: float) -> None:
        """Cut connections of the layers that start dense."""
        for layer in self.families:
            layer.prune(progress)

    def anneal(self, progress: float) -> None:
        """Let all layers follow the schedule of training, `progress` from 0 to 1."""
        for layer in self.families:
            layer.anneal(progress)

    def set_quantized(self, on: bool) -> None:
        """Turn rounding on or off."""
        for layer in self.families:
            layer.set_quantized(on)

    def quantnet(self, info: Mapping[str, Any] | None = None) -> QuantNet:
        """Return the verified QuantNet this network is, as learned so far."""
        layers: list[Layer] = []
        source = INPUT
        for layer, x in self.traced():
            layers += layer.quantized(layer.spec.name, (source,), x)
            source = layer.spec.name
        formats = layers[-1].formats
        if self.quantities:
            said = quantities_said(source, formats, self.quantities)
        else:
            said = classes_said(source, formats, self.classes)
        net = QuantNet(
            name=self.name,
            inputs=tuple(
                Port(name, IntFormat(bits))
                for name, bits in zip(self.features, self.input_bits, strict=True)
            ),
            layers=(*layers, *said.layers),
            output_wires=said.outputs,
            quantizer=InputQuantizer(
                tuple(frozen(t, np.float32) for t in self.quantizer.get_thresholds())
            ),
            info={**said.info, **(info or {})},
        )
        net.verify()
        return net


def _comparable(x: Codes) -> bool:
    # An argmax over codes is one over values only when all wires mean the same by a code.
    return all(
        torch.equal(row[: 1 << bits], x.values[0, : 1 << bits])
        for row, bits in zip(x.values, x.bits, strict=True)
    )
