"""The host of the LeNet-5 engine: cuts maps into patches, and rearranges lanes between kernels.

In conv1 and conv2 a lane is a position of an image, in the others an image. The engine computes
everything else, maxima included; between kernels the host only moves bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nnlogic.backends.dsp.model.conv import PatchLayer, PatchNetwork, Window
from nnlogic.backends.dsp.model.ir import Program
from nnlogic.core.formats import IntArray
from nnlogic.hw.dsp.encode import EngineShape
from nnlogic.hw.dsp.host import packet
from nnlogic.sim.dsp.vectors import input_beats, output_codes


class LenetHost:
    """Runs images through the kernels of a network, on beats of the engine's streams.

    Parameters
    ----------
    images : int array, shape (images, rows, columns, channels)
    scores : int array, shape (images, classes)
        What PyTorch computes.
    layers : sequence of PatchLayer
        With their programs.
    words : int
        Program memory of the engine.
    """

    def __init__(
        self, images: IntArray, scores: IntArray, layers: Sequence[PatchLayer], words: int
    ) -> None:
        self.layers, self.scores, self.maps = layers, scores, images
        self.programs: list[Program] = [layer.function for layer in layers]  # type: ignore[misc]
        self.shape = EngineShape.of_all(self.programs, words)
        self.plans = PatchNetwork(tuple(layers), images.shape[1:]).plan(len(images))

    @property
    def kernels(self) -> int:
        """One per layer."""
        return len(self.layers)

    def packet(self, kernel: int) -> list[int]:
        """Return the beats for ``p_axis``."""
        load = not self.shape.resident
        groups = self.groups_of(kernel)
        return packet(self.shape, self.programs, kernel, load=load, groups=groups)

    def groups_of(self, kernel: int) -> int:
        """Return how many groups hold all patches of a layer."""
        return self.plans[kernel].groups

    def rows_out(self, kernel: int) -> int:
        """Return the beats of a batch on ``m_axis``."""
        return self.programs[kernel].output_rows

    def awaited(self, kernel: int) -> int:
        """Return the beats all groups make on ``m_axis``."""
        program = self.programs[kernel]
        return self.groups_of(kernel) * program.contexts * program.output_rows

    def beats(self, kernel: int) -> list[int]:
        """Return the beats for ``s_axis``: the maps there are, cut into patches."""
        return input_beats(self.programs[kernel], self.layers[kernel].codes(self.maps))

    def take(self, kernel: int, beats: list[int]) -> None:
        """Make the maps of the next layer."""
        layer, program = self.layers[kernel], self.programs[kernel]
        samples = len(layer.codes(self.maps))
        codes = output_codes(program, beats, samples, self.shape.emitters)
        self.maps = layer.merged(self.maps, codes)

    def check(self) -> str:
        """Compare scores and classes with PyTorch's; return what is wrong."""
        out = self.maps.reshape(len(self.maps), -1)
        wrong = (out[:, :-1] != self.scores).any(axis=1)
        wrong |= out[:, -1] != self.scores.argmax(axis=1)
        return f"{int(wrong.sum())} of {len(out)} images differ" if wrong.any() else ""


def save(
    folder: Path, network: PatchNetwork, images: IntArray, scores: IntArray, words: int
) -> dict[str, str]:
    """Write what the simulator's process needs, and return the arguments of `from_folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    windows = []
    for number, layer in enumerate(network.layers):
        layer.function.save(folder / f"{number}.program")  # type: ignore[attr-defined]
        window = layer.window
        sizes = (0, 0, 0, 0) if window is None else (
            window.height, window.width, window.stride, window.padding)  # fmt: skip
        windows.append(sizes)
    np.savez(folder / "data.npz", images=images, scores=scores, windows=windows, words=words)
    return {"folder": str(folder.resolve())}


def from_folder(folder: str) -> LenetHost:
    """Return the host that `save` wrote."""
    with np.load(Path(folder) / "data.npz", allow_pickle=False) as data:
        layers = []
        for number, (height, width, stride, padding) in enumerate(data["windows"].tolist()):
            window = Window(height, width, stride=stride, padding=padding) if height else None
            program = Program.load(Path(folder) / f"{number}.program")
            layers.append(PatchLayer(str(number), window, program))
        return LenetHost(data["images"], data["scores"], layers, int(data["words"]))
