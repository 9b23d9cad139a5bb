"""Networks to compile for DSP slices: checkpoints, LeNet-5, VGG16's kernels, random graphs."""

from __future__ import annotations

import json
import re
import resource
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import nnlogic
from benchmarks.dsp import lenet
from benchmarks.minimize.parts import Netlist, bit_ports
from benchmarks.minimize.vgg import read_vgg
from nnlogic.backends.dsp.model.build import build_ops
from nnlogic.backends.dsp.model.ir import OpGraph
from nnlogic.backends.dsp.model.ops import OPERATIONS
from nnlogic.core.archive import frozen
from nnlogic.core.formats import LayerInfo
from nnlogic.logic.abc_blif import read_blif
from nnlogic.logic.ir import LogicNet
from nnlogic.logic.passes.remove_dead import remove_dead
from nnlogic.logic.rewrite import with_cone

ROOT = Path(__file__).parents[2]
CHECKPOINT = ROOT / "examples" / "jets" / "jets.safetensors"
PUBLISHED_LUTS = {8: 9366, 9: 6786, 10: 7478, 11: 3718, 12: 2286, 13: 1550}
"""LUTs the authors declare for the same layers, fully parallel, latency 2."""
ZOO = tuple(f"{data}_{size}" for data in ("nid", "jets", "mnist") for size in "sml")
QUICK = ("mnist_l",)
_INPUT = re.compile(r"\bi_(\d+)_\d+_(\d+)_0\b")
LENET = ("conv1", "conv2", "fc1", "fc2", "fc3")
SPAN = 4096
"""Random graphs read signals at most this far back, as a levelized network would."""


@dataclass(frozen=True)
class Case:
    """One row group of the table.

    Attributes
    ----------
    name : str
    load : callable
        Returns the graph, the network it was built from (None: made as a graph), and the
        seconds building took.
    note : str
    published : str
        What the authors of the network declare.
    """

    name: str
    load: Callable[[], tuple[OpGraph, LogicNet | None, float]]
    note: str = ""
    published: str = ""


def kept(case: Case, folder: Path | None) -> tuple[OpGraph, LogicNet | None, float]:
    """Load a case through a folder that keeps what was built; nothing else is read from it."""
    if folder is None:
        return case.load()
    graph, net, seconds = (folder / f"{case.name}.{end}" for end in ("ops", "logic", "json"))
    if not seconds.exists():
        folder.mkdir(parents=True, exist_ok=True)
        made, source, took = case.load()
        made.save(graph)
        if source is not None:
            source.save(net)
        seconds.write_text(json.dumps(took))
    source = LogicNet.load(net) if net.exists() else None
    return OpGraph.load(graph), source, json.loads(seconds.read_text())


def all_cases(peers: Path | None, effort: str, most: int) -> Iterator[Case]:
    """Yield the cases whose files are there, and random graphs up to `most` operations."""
    yield Case("jets", lambda: built(jets(), effort), "examples/jets/jets.safetensors")
    for name in ZOO:
        yield Case(
            f"zoo-{name}",
            lambda name=name: built(zoo(name), effort),  # type: ignore[misc]
            f"zoo/{name}.safetensors" + (", from six-input nodes" if name in QUICK else ""),
        )
    size = 1000
    while size <= most:
        yield Case(
            f"random-{size}",
            lambda size=size: (random_graph(size), None, 0.0),  # type: ignore[misc]
        )
        size *= 10
    for index, name in enumerate(LENET):
        yield Case(
            f"lenet-{name}",
            lambda index=index: (lenet_layer(index), None, 0.0),  # type: ignore[misc]
            f"layer {index + 1} of benchmarks/dsp/lenet.npz, see [dsp-lenet.md](dsp-lenet.md)",
        )
    for layer, luts in PUBLISHED_LUTS.items():
        path = peers / "vgg" / f"kernel_{layer}_wrapper.v" if peers else None
        if path and path.exists():
            yield Case(
                f"vgg-conv{layer}",
                lambda path=path: built(vgg(path), effort),  # type: ignore[misc]
                "vgg/kernel_*_wrapper.v of anujp10/multiple_kernels_host_code",
                f"{luts:,} LUT",
            )


def built(net: LogicNet, effort: str) -> tuple[OpGraph, LogicNet, float]:
    """Build the graph of a network."""
    start = processor_seconds()
    graph = build_ops(net, effort=effort, timeout=3600)
    return graph, net, processor_seconds() - start


def processor_seconds() -> float:
    """Processor time of this process and its finished children."""
    own, children = (
        resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def jets() -> LogicNet:
    """The bundled checkpoint, minimized for two-input nodes."""
    tables = nnlogic.tabulate(nnlogic.load(CHECKPOINT))
    return nnlogic.minimize(tables, k=2, effort="fast", jobs=1)


def zoo(name: str) -> LogicNet:
    """A checkpoint of the zoo, as `nnlogic compile --backend dsp --arith auto` has it.

    Those in `QUICK` are minimized for six-input nodes, which for networks of LUTs is far quicker
    and leaves more to the build of the operations.
    """
    tables = nnlogic.tabulate(nnlogic.load(ROOT / "zoo" / f"{name}.safetensors"), arith="auto")
    return nnlogic.minimize(tables, k=6 if name in QUICK else 2, effort="fast", jobs=1)


def lenet_layer(index: int) -> OpGraph:
    """One layer of the binarized LeNet-5."""
    graph = lenet.network(lenet.arrays()).layers[index].function
    assert isinstance(graph, OpGraph)
    return graph


def vgg(path: Path) -> LogicNet:
    """All kernels of one of NullaNet's VGG16 layers, on the bits of one patch."""
    part = read_vgg(path)[0]
    assert isinstance(part, Netlist)
    cone = remove_dead(read_blif(on_one_patch(part.blif))).cone
    shell = LogicNet(
        path.stem, 6, bit_ports("x", cone.n_inputs), bit_ports("y", len(cone.outputs)),
        np.zeros((0, 6), np.int32), np.zeros(0, np.uint64), (), (), np.zeros(0, np.int32),
        (LayerInfo("conv"),), np.zeros(0, np.int32),
    )  # fmt: skip
    count = cone.n_nodes
    return with_cone(shell, cone, ["conv/kernel"] * count, [0] * count, [])


def on_one_patch(blif: str) -> str:
    """Join the inputs of all kernels: ``i_<layer>_<kernel>_<bit>_0`` is that bit of the patch.

    The wrapper of the same file wires them so.
    """
    lines = _INPUT.sub(r"i_\1_\2", blif).splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith(".inputs"))
    lines[at] = " ".join(dict.fromkeys(lines[at].split()))
    return "\n".join([*lines, ""])


def random_graph(size: int, seed: int = 0, n_inputs: int = 64) -> OpGraph:
    """Random operations on random earlier signals, at most `SPAN` back."""
    rng = np.random.default_rng(seed)
    own = n_inputs + np.arange(size)
    low = np.maximum(0, own - SPAN)
    x, z = (np.array(low + rng.random(size) * (own - low), np.int32) for _ in range(2))
    used = np.zeros(n_inputs + size, bool)
    used[x] = used[z] = True
    outputs = np.flatnonzero(~used[n_inputs:]) + n_inputs
    return OpGraph(
        name="random",
        inputs=bit_ports("x", n_inputs),
        outputs=bit_ports("y", len(outputs)),
        op=frozen(rng.choice([o.table for o in OPERATIONS], size), np.uint8),
        x=frozen(x, np.int32),
        z=frozen(z, np.int32),
        output_signals=frozen(outputs, np.int32),
    )
