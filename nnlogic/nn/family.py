"""The protocol of neuron families, and neurons that are defined by their enumeration.

A family is a layer. Between layers flow codes of a few bits; in training their values do, as
floats. A neuron that is a float function of few codes *is* its table: the function evaluated for
every input code, in float64 on the CPU, with the running statistics of its batch-norm. Eval mode
looks up exactly these tables, so that model and logic cannot disagree on a rounding tie.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import ClassVar, Self, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from nnlogic.core.archive import frozen
from nnlogic.core.errors import UnsupportedModel
from nnlogic.core.formats import IntArray, IntFormat
from nnlogic.model.layer import LayerSpec
from nnlogic.nn.codes import Codes
from nnlogic.nn.connect import Connection, Learned, connect, fan_in_of
from nnlogic.nn.gates import Price, present, probe, probed_gates, soft_codes, table_cost
from nnlogic.nn.quantizers import Activation, LearnedBits, Uniform, make_activation
from nnlogic.quant.ir import Enumerated, Layer

CHUNK = 1024
"""Rows enumerated at once; part of the definition, as it may decide how a float sum rounds."""
LOOK_UPS_AT_ONCE = 1 << 22
M = TypeVar("M", bound=nn.Module)


class Family(nn.Module):
    """A layer of neurons.

    A subclass sets `kind` and takes ``(x, spec, generator)``; the keyword-only arguments of its
    constructor, which need plain types and defaults, are its options in recipes.

    Parameters
    ----------
    x : Codes
        What the layer reads, as far as it is known before training.
    spec : LayerSpec
    """

    kind: ClassVar[str] = ""
    shrinks: ClassVar[bool] = True
    """Whether training can make it cheaper: what `cost` returns depends on its parameters."""

    period: int = 0
    """Outputs this far apart read the same wires; 0 where nothing is said of that."""

    fits: ClassVar[bool] = False
    """Whether it takes up training rows once, before training: see `fit`."""

    pads: bool = False
    """Whether `forward` uses values of codes that are not among its input: it has to `notice` them
    before."""

    def __init__(self, x: Codes, spec: LayerSpec) -> None:
        super().__init__()
        self.spec = spec
        self.inputs = len(x.bits)

    def notice(self, x: Codes) -> None:
        """Take up what the codes that are read stand for now; only where `pads` is set."""

    def fit(self, x: Tensor) -> None:
        """Take up values of training rows, (rows, inputs); only where `fits` is set."""

    def forward(self, x: Tensor) -> Tensor:
        """Return fake-quantized values (samples, width) of values (samples, inputs)."""
        raise NotImplementedError

    def output(self, x: Codes) -> Codes:
        """Return what the layer gives."""
        raise NotImplementedError

    def quantized(self, name: str, sources: tuple[str, ...], x: Codes) -> list[Layer]:
        """Return the layer as QuantNet layers; the last one is called `name` and is its output."""
        raise NotImplementedError

    def evaluate(self, codes: Tensor, x: Codes) -> Tensor:
        """Return exact codes, int64 (samples, width), of int64 codes (samples, inputs)."""
        raise NotImplementedError

    def fan_in_bits(self, x: Codes) -> int:
        """Return the input bits of the widest table."""
        raise NotImplementedError

    def cost(self, x: Codes, live: Tensor, price: Price) -> tuple[Tensor, Tensor]:
        """Return what the layer costs, with gradients, and how far its inputs are read.

        Parameters
        ----------
        x : Codes
        live : float tensor, shape (width,)
            How far anything reads each output, 0 to 1.
        price : Price

        Returns
        -------
        luts : tensor, a scalar
            Predicted LUT6.
        read : tensor, shape (inputs,)
        """
        raise NotImplementedError

    def share_scale(self, other: Self) -> None:
        """Give the outputs the same scale as `other`, learned together."""
        raise NotImplementedError

    def anneal(self, progress: float) -> None:
        """Follow the schedule of training, `progress` from 0 to 1."""

    def prune(self, progress: float) -> None:
        """Cut connections, more as `progress` goes from 0 to 1."""

    def set_quantized(self, on: bool) -> None:
        """Turn rounding on or off."""
        for module in self.modules():
            if isinstance(module, Activation):
                module.quantized = on


class Bias(nn.Module):
    """A learned offset per neuron, in place of batch-norm."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x + bias``."""
        return x + self.bias


def activation_codes(activation: Activation, width: int) -> Codes:
    """Return `width` wires that leave an activation."""
    if isinstance(activation, LearnedBits):
        size = activation.sizes()
        bits = tuple(int(b) for b in size.tolist())
        own = activation.neuron_values().detach()[:, : 1 << max(bits)]
        return Codes(bits, own.to("cpu", torch.float64), size=size)
    values = activation.values().detach().to("cpu", torch.float64)
    levels = activation.levels() if isinstance(activation, Uniform) else None
    return Codes((activation.bits,) * width, values.repeat(width, 1), levels)


class Tabulated(Family):
    """Neurons that are one table each, on wires found by `nnlogic.nn.connect`: a base.

    A subclass implements `forward`, `tables`, `output` and `bit_gates`.
    """

    wires_unless_said: ClassVar[int] = 0
    """Fan-in where a recipe says none; 0 for all wires."""

    def __init__(self, x: Codes, spec: LayerSpec, generator: torch.Generator) -> None:
        super().__init__(x, spec)
        self.fan_in = fan_in_of(spec.connect, self.inputs, spec.fan_in, self.wires_unless_said)
        self.connect: Connection = connect(
            spec.connect, self.inputs, spec.width, self.fan_in, generator, channels=x.channels
        )
        self.period = self.connect.period

    def tables(self, x: Codes) -> list[IntArray]:
        """Return the table of each neuron: output code by input index, first wire in low bits."""
        raise NotImplementedError

    def bit_gates(self, x: Codes) -> Tensor:
        """Return how far each input bit counts, (width, fan_in, bits), with gradients."""
        raise NotImplementedError

    def cost(self, x: Codes, live: Tensor, price: Price) -> tuple[Tensor, Tensor]:
        """Return the LUT6 of the tables, and how far the inputs are read."""
        reads, after = self.connect.wires(), self.output(x)
        size = after.size
        if size is None:
            size = torch.tensor(after.bits, dtype=live.dtype, device=live.device)
        gates = present(self.bit_gates(x), x.size, reads)
        return table_cost(gates, reads, self.inputs, size, live, price)

    def quantized(self, name: str, sources: tuple[str, ...], x: Codes) -> list[Layer]:
        """Return one Enumerated layer."""
        formats = self.output(x).formats
        wires, tables = self.connect.wires(), self.tables(x)
        return [enumerated(name, sources, wires, tables, x, formats, self.spec.role)]

    @torch.no_grad()
    def evaluate(self, codes: Tensor, x: Codes) -> Tensor:
        """Return exact codes, int64 (samples, width), of int64 codes (samples, inputs)."""
        return look_up(self.tables(x), codes, self.connect.wires(), x)

    def fan_in_bits(self, x: Codes) -> int:
        """Return the input bits of the widest table."""
        return int(index_bits(self.connect.wires(), x)[2].max())

    def anneal(self, progress: float) -> None:
        """Follow the schedule of training, `progress` from 0 to 1."""
        if isinstance(self.connect, Learned):
            self.connect.anneal(progress)


class Neurons(Tabulated):
    """Neurons that are a float function of the few wires they read: a base of families.

    A subclass implements `neurons`. Batch-norm or bias and the activation follow it here.
    """

    def __init__(self, x: Codes, spec: LayerSpec, generator: torch.Generator) -> None:
        super().__init__(x, spec, generator)
        self.norm = nn.BatchNorm1d(spec.width) if spec.batch_norm else Bias(spec.width)
        self.activation = make_activation(spec)

    def neurons(self, x: Tensor) -> Tensor:
        """Return one float per neuron, (samples, width), of what it reads (..., width, fan_in)."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """Return fake-quantized values (samples, width) of values (samples, inputs)."""
        out: Tensor = self.activation(self.norm(self.neurons(self.connect(x))))
        return out

    def _codes(self, x: Tensor) -> Tensor:
        return self.activation.codes(self.norm(self.neurons(x)))

    def bit_gates(self, x: Codes) -> Tensor:
        """Return how far each input bit counts, (width, fan_in, bits), with gradients."""
        values, bits = probe(self.connect.wires(), x.bits, x.values)
        sums = self.neurons(values.flatten(0, 1))
        if isinstance(self.norm, nn.BatchNorm1d):
            # As it is after training: probes are not rows to take statistics of.
            norm = self.norm
            sums = nn.functional.batch_norm(
                sums, norm.running_mean, norm.running_var, norm.weight, norm.bias, eps=norm.eps
            )
        else:
            sums = self.norm(sums)
        if isinstance(self.activation, LearnedBits):
            bounds = self.activation.neuron_bounds()
        else:
            bounds = self.activation.thresholds().expand(self.spec.width, -1)
        codes = soft_codes(sums, bounds.detach().to(sums.dtype))
        return probed_gates(codes.unflatten(0, values.shape[:2]), bits)

    def anneal(self, progress: float) -> None:
        """Follow the schedule of training, `progress` from 0 to 1."""
        super().anneal(progress)
        if isinstance(self.activation, LearnedBits):
            self.activation.anneal(progress)

    @torch.no_grad()
    def tables(self, x: Codes) -> list[IntArray]:
        """Return the table of each neuron: output code by input index, first wire in low bits."""
        return enumerate_codes(exact_copy(self)._codes, self.connect.wires(), x)

    def output(self, x: Codes) -> Codes:
        """Return what the layer gives."""
        return activation_codes(self.activation, self.spec.width)

    def share_scale(self, other: Self) -> None:
        """Give the outputs the same scale as `other`, learned together."""
        self.activation = other.activation


def chain_cost(
    layers: Sequence[tuple[Family, Codes]], live: Tensor, price: Price
) -> tuple[Tensor, Tensor]:
    """Return what layers one after another cost, each with what it reads, as `Family.cost`."""
    total = live.new_zeros(())
    for layer, x in reversed(layers):
        luts, live = layer.cost(x, live, price)
        total = total + luts
    return total, live


def exact_copy(module: M) -> M:
    """Return a copy in float64 on the CPU, in eval mode: the one tables are made with."""
    return copy.deepcopy(module).to("cpu", torch.float64).eval()


def index_bits(wires: Tensor, x: Codes) -> tuple[Tensor, Tensor, Tensor]:
    """Return bits, shifts and total bits in a table's index, for wires (tables, fan_in)."""
    bits = torch.tensor(x.bits)[wires.cpu()]
    shifts = bits.cumsum(1) - bits
    return bits, shifts, bits.sum(1)


def enumerate_codes(
    function: Callable[[Tensor], Tensor], wires: Tensor, x: Codes
) -> list[IntArray]:
    """Evaluate functions on the full grid of the codes they read.

    Parameters
    ----------
    function : callable
        float64 values (rows, tables, fan_in) to integers (rows, tables).
    wires : int64 Tensor, shape (tables, fan_in)
    x : Codes

    Returns
    -------
    list of int64 arrays
        Per table, ``2**bits`` integers; the first wire in the low bits of the index.
    """
    wires = wires.cpu()
    bits, shifts, total = index_bits(wires, x)
    rows = 1 << int(total.max())
    parts = []
    for start in range(0, rows, CHUNK):
        index = torch.arange(start, min(start + CHUNK, rows))[:, None, None]
        codes = (index >> shifts) & ((1 << bits) - 1)
        parts.append(function(x.values[wires, codes]).to(torch.int64))
    grid = torch.cat(parts).numpy()
    return [frozen(grid[: 1 << int(t), i], np.int64) for i, t in enumerate(total)]


def look_up(tables: list[IntArray], codes: Tensor, wires: Tensor, x: Codes) -> Tensor:
    """Return table entries, int64 (samples, tables), for codes (samples, inputs)."""
    device = codes.device
    _, shifts, total = index_bits(wires, x)
    padded = torch.zeros((len(tables), 1 << int(total.max())), dtype=torch.int64)
    for row, table in zip(padded, tables, strict=True):
        row[: len(table)] = torch.from_numpy(np.array(table))
    padded, wires, shifts = padded.t().to(device), wires.to(device), shifts.to(device)
    rows = max(1, LOOK_UPS_AT_ONCE // wires.numel())
    parts = [(part[:, wires] << shifts).sum(2) for part in codes.split(rows)]
    return torch.cat([padded.gather(0, index) for index in parts])


def enumerated(
    name: str,
    sources: tuple[str, ...],
    wires: Tensor,
    tables: list[IntArray],
    x: Codes,
    formats: tuple[IntFormat, ...],
    role: str,
) -> Enumerated:
    """Return an Enumerated layer of tables on wires (tables, fan_in)."""
    inputs = tuple(tuple(int(w) for w in row) for row in wires.tolist())
    return Enumerated(name, sources, inputs, tuple(tables), formats, x.formats, role)


def refuse(spec: LayerSpec, why: str, fix: str) -> UnsupportedModel:
    """Return the error of a layer that cannot be built."""
    return UnsupportedModel("a layer cannot be built", where=spec.name, why=why, fix=fix)


def require_range(spec: LayerSpec, **bounds: tuple[float, float, float]) -> None:
    """Raise, with all of them, when an option (value, least, most) is out of its range."""
    out = [
        f"{name} {value}, allowed {least} to {most}"
        for name, (value, least, most) in bounds.items()
        if not least <= value <= most
    ]
    if out:
        raise refuse(spec, "; ".join(out), "take a value within")
