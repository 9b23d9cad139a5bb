"""ContinuousDesign: a network of one dimension that slides over samples which never end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from nnlogic.backends.stream.model.cycles import FIFO_CYCLES, FIFO_SLACK
from nnlogic.backends.stream.model.ir import MapLayer, StreamDesign
from nnlogic.core.bits import total_bits
from nnlogic.core.errors import IRError, Problem, TargetMissed, UnsupportedModel
from nnlogic.core.inert import printed
from nnlogic.core.windows import Frame
from nnlogic.quant.ir import QuantNet
from nnlogic.quant.layers.windowed import Windowed

UNPADDED = "train it with padding = [0, 0]: a stream has no edge"


@dataclass(frozen=True)
class Reach:
    """Which samples a result depends on.

    Result k is the network on samples ``k * hop`` to ``k * hop + samples - 1``.

    Attributes
    ----------
    samples : int
        The receptive field.
    hop : int
        Samples from one result to the next.
    """

    samples: int
    hop: int

    @staticmethod
    def of(layers: tuple[MapLayer, ...] | tuple[Windowed, ...], positions: int) -> Reach:
        """Return the reach of so many neighbouring positions of the last map."""
        samples, hop = 1, 1
        for layer in layers:
            samples += (layer.window.extent[1] - 1) * hop
            hop *= layer.window.stride[1]
        return Reach(samples + (positions - 1) * hop, hop)

    def results(self, samples: int) -> int:
        """Return how many results so many samples give."""
        return max(0, (samples - self.samples) // self.hop + 1)


@dataclass(frozen=True, eq=False)
class ContinuousDesign(StreamDesign):
    """A network as a stream without frames.

    Layers and dense core are those of a `StreamDesign` for the frame that the network was trained
    on. ``inputs`` and ``outputs`` are those of one sample and of one result: the dense layers'
    outputs, or the channels of a position of the last map.
    """

    kind: ClassVar[str] = "ContinuousDesign"

    @property
    def reach(self) -> Reach:
        """Which samples a result depends on."""
        return Reach.of(self.layers, self.map.positions if self.dense else 1)

    @property
    def pipeline(self) -> int:
        """Clocks from the sample that completes a result to that result, in the core."""
        layers = sum(int(not layer.scan.passes) + layer.latency for layer in self.layers)
        return layers + (1 + self.dense.latency if self.dense else 0)

    @property
    def latency(self) -> int:
        """The same clocks at the ports of the AXI4-Stream wrapper."""
        return self.pipeline + FIFO_CYCLES

    @property
    def fifo_room(self) -> int:
        """Places of the FIFO that are kept for results under way."""
        return self.pipeline // self.reach.hop + 2

    @property
    def fifo_depth(self) -> int:
        """Places of the FIFO."""
        return self.fifo_room + FIFO_SLACK

    def verify(self) -> None:
        """Raise IRError, with all problems, when a rule is broken."""
        found = [Problem(layer.name, why) for layer in self.layers for why in layer.problems()]
        if not self.layers:
            found.append(Problem(self.name, "no layer has windows"))
        for layer in () if found else self.layers:
            if layer.frame.height != 1 or any(layer.window.padding) or layer.lanes != 1:
                found.append(Problem(layer.name, "has rows, padding or several lanes"))
        for layer, after in zip(self.layers, self.layers[1:], strict=False) if not found else ():
            if after.channels != layer.output_channels:
                found.append(Problem(after.name, f"does not read what {layer.name} gives"))
        if not found and total_bits(self.inputs) != self.input_width:
            found.append(Problem("inputs", f"are not {self.input_width} bits"))
        if not found and total_bits(self.outputs) != self.output_width:
            found.append(Problem("outputs", f"are not {self.output_width} bits"))
        if found:
            raise IRError(f"{self.kind} breaks its rules", where=self.name, problems=found)

    def text(self) -> str:
        """Return the stable printed form."""
        reach = self.reach
        lines = [
            f"{self.kind} {self.name}: samples of {self.input_width} bits, a result of the last "
            f"{reach.samples} every {reach.hop}"
        ]
        for layer in self.layers:
            lines.append(
                f"  {layer.name}: window {layer.window} of {layer.frame.channels} channels"
            )
            lines += [
                f"    {k.module}: {len(k.reads)} bits -> {sum(k.outputs)} bits, {k.latency} clocks"
                for k in layer.kernels
            ]
        if self.dense:
            lines.append(
                f"  {self.dense.module}: {len(self.dense.reads)} bits of {self.map.width} "
                f"positions, {self.dense.latency} clocks"
            )
        return printed([*lines, *(f"  output {p}" for p in self.outputs)])


def continuous(design: StreamDesign) -> ContinuousDesign:
    """Return a stream of frames as one without."""
    outputs = design.outputs
    if design.dense is None:
        outputs = outputs[: len(design.layers[-1].output_channels)]
    inputs = design.inputs[: design.layers[0].frame.channels]
    made = ContinuousDesign(design.name, inputs, outputs, design.layers, design.dense)
    made.verify()
    return made


def lengthened(layer: MapLayer, width: int) -> MapLayer:
    """Return a layer on a frame of another width: what a stream is for so many positions."""
    return replace(layer, frame=Frame(layer.frame.channels, 1, width))


def refuse_framed(net: QuantNet, layers: tuple[Windowed, ...]) -> None:
    """Raise UnsupportedModel, with all reasons, where a network needs frames."""
    problems = []
    for layer in layers:
        window = layer.window
        if layer.frame.height != 1 or window.size[0] != 1:
            why = f"reads a map of {layer.frame.height} rows; samples come one after another"
            problems.append(Problem(layer.name, why, "leave --continuous out: frames of rows"))
        elif any(window.padding):
            left, right = window.padding[2:]
            why = f"pads {left} on the left and {right} on the right, {sum(window.padding)} in all"
            problems.append(Problem(layer.name, why, UNPADDED))
    if problems:
        raise UnsupportedModel(
            "the network cannot slide over a stream without frames", where=net.name,
            problems=problems,
        )  # fmt: skip


def refuse_rate(asked: float | None, clock: float) -> None:
    """Raise TargetMissed where samples come faster than the clock."""
    if asked is not None and asked > 1e6 * clock:
        raise TargetMissed(
            "the stream is too slow", where="--samples-per-second",
            why=f"one sample per clock of {clock:g} MHz are {1e6 * clock:,.0f} per second, "
            f"{asked - 1e6 * clock:,.0f} fewer than {asked:,.0f}",
            fix=f"--clock {asked / 1e6:.4g}",
        )  # fmt: skip
