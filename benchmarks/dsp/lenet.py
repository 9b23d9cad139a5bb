"""A binarized network of the size of LeNet-5 on the DSP engine, end to end on MNIST.

    python -m benchmarks.dsp.lenet [--data DIR] [--slices 8 16 32] [--rows N] [--simulate 8]

Each layer is one program, a kernel; one engine runs them in turn. A convolution and the maximum
after it are one patch function: the 6x6 codes that a pooling window of four positions reads.
Programs run in the bit-exact interpreter, and the engine in simulation; both are compared with the
scores PyTorch computes.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.dsp.lenet_host import save
from benchmarks.page import Page, add_write, is_part
from nnlogic import data
from nnlogic.backends.dsp.checks.program import prove_program
from nnlogic.backends.dsp.model.binary import binary_layer, pooled_filters, score_layer
from nnlogic.backends.dsp.model.conv import LayerPlan, PatchLayer, PatchNetwork, Window
from nnlogic.backends.dsp.model.cost import Cost, cost_of
from nnlogic.backends.dsp.model.cut import kernels_cost
from nnlogic.backends.dsp.model.ir import OpGraph, Program
from nnlogic.backends.dsp.model.machine import Bounds, Machine, bounds
from nnlogic.backends.dsp.model.ops import LANES
from nnlogic.backends.dsp.model.place import compile_ops, machine_for
from nnlogic.core.errors import TargetMissed
from nnlogic.core.formats import IntArray
from nnlogic.hw.dsp.encode import EngineShape
from nnlogic.hw.dsp.verilog import write_kernels
from nnlogic.hw.slice_kinds import DSP48E1
from nnlogic.sim.dsp.kernels_run import Kernels, run_kernels

FILE = Path(__file__).parent / "lenet.npz"
MHZ = 250.0
SIDE, POOL, PADDING, LEVEL = 28, 2, 2, 128
CONTEXTS = (1, 2, 3, 6)
NEAR = 1.03
RTL_IMAGES = ((LANES, 0), (4, 1))
"""Images of a simulation, and how often its tests with gaps and resets run."""
RTL_SECONDS = 3000.0
BATCH = LANES * CONTEXTS[-1]
"""Images that fill all lanes of every layer, whatever its contexts."""


def arrays(path: Path = FILE) -> dict[str, IntArray]:
    """Return the trained weights, see `benchmarks.dsp.train_lenet`."""
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name].astype(np.int64) for name in file.files}


def network(weights: dict[str, IntArray]) -> PatchNetwork:
    """Return the layers as operation graphs; maps in are bits, shape (images, 28, 28, 1)."""
    layers = []
    for name, padding in (("conv1", PADDING), ("conv2", 0)):
        filters = weights[f"{name}.weights"]
        side = filters.shape[2] + POOL - 1
        graph = binary_layer(
            name,
            pooled_filters(filters, POOL),
            np.repeat(weights[f"{name}.thresholds"], POOL**2),
            pool=POOL**2,
        )
        layers.append(PatchLayer(name, Window(side, side, stride=POOL, padding=padding), graph))
    channels = weights["conv2.weights"].shape[0]
    # PyTorch flattens channel by channel, a PatchLayer position by position.
    flat = weights["fc1.weights"]
    flat = flat.reshape(len(flat), channels, -1).transpose(0, 2, 1).reshape(flat.shape)
    for name, matrix in (("fc1", flat), ("fc2", weights["fc2.weights"])):
        graph = binary_layer(name, matrix, weights[f"{name}.thresholds"])
        layers.append(PatchLayer(name, None, graph))
    graph = score_layer("fc3", weights["fc3.weights"], weights["fc3.bias"])
    layers.append(PatchLayer("fc3", None, graph))
    return PatchNetwork(tuple(layers), (SIDE, SIDE, 1))


@dataclass(frozen=True)
class Compiled:
    """The network on engines of one number of slices."""

    network: PatchNetwork
    graphs: tuple[OpGraph, ...]
    machines: tuple[Machine, ...]

    @property
    def programs(self) -> tuple[Program, ...]:
        """One per layer."""
        return tuple(layer.function for layer in self.network.layers)  # type: ignore[misc]

    @property
    def costs(self) -> tuple[Cost, ...]:
        """Resources of each layer, were it alone on the engine."""
        return tuple(cost_of(p, mhz=MHZ) for p in self.programs)

    @property
    def plans(self) -> tuple[LayerPlan, ...]:
        """Cycles of each layer for `BATCH` images."""
        return self.network.plan(BATCH)

    @property
    def bounds(self) -> tuple[Bounds, ...]:
        """Lower bounds of each program."""
        return tuple(bounds(g, m) for g, m in zip(self.graphs, self.machines, strict=True))

    @property
    def shape(self) -> EngineShape:
        """The engine that runs all programs; its memory holds the longest."""
        return EngineShape.of_all(self.programs, max(p.steps for p in self.programs))

    def visits(self, images: int) -> list[int]:
        """Cycles of each layer for a number of images, packets and streams included."""
        plans = self.network.plan(images)
        parts = zip(self.shape.kernels, plans, strict=True)
        return [kernel.visit(plan.groups, load=True) for kernel, plan in parts]

    @property
    def cost(self) -> Cost:
        """Resources of the engine."""
        return kernels_cost(self.programs, self.shape.words, sum(self.visits(BATCH)), mhz=MHZ)

    @property
    def traffic(self) -> tuple[float, float]:
        """Words of 48 lanes into and out of the engine, per 48 images."""
        batches = [
            plan.groups * p.contexts for plan, p in zip(self.plans, self.programs, strict=True)
        ]
        reads = [
            n * int((p.input_bank >= 0).sum()) for n, p in zip(batches, self.programs, strict=True)
        ]
        makes = [n * len(p.output_slice) for n, p in zip(batches, self.programs, strict=True)]
        return sum(reads) * LANES / BATCH, sum(makes) * LANES / BATCH


def compiled(graphs: PatchNetwork, slices: int) -> Compiled:
    """Compile every layer, with contexts that fill all lanes of a batch."""
    layers, machines = [], []
    for layer in graphs.layers:
        graph = layer.function
        assert isinstance(graph, OpGraph)
        program, machine = _fewest_contexts(graph, slices)
        layers.append(PatchLayer(layer.name, layer.window, program))
        machines.append(machine)
    plain = tuple(layer.function for layer in graphs.layers)
    return Compiled(PatchNetwork(tuple(layers), graphs.shape), plain, tuple(machines))  # type: ignore[arg-type]


def _fewest_contexts(graph: OpGraph, slices: int) -> tuple[Program, Machine]:
    """The program with fewest contexts, hence memory, among the short ones that fit."""
    found: list[tuple[Program, Machine]] = []
    for contexts in CONTEXTS:
        machine = machine_for(graph, slices, contexts=contexts)
        try:
            found.append((compile_ops(graph, machine), machine))
        except TargetMissed:
            if not found:
                raise
            break
    least = min(program.steps for program, _ in found)
    return next(pair for pair in found if pair[0].steps <= NEAR * least)


NOTES = f"""\
6 filters of 5x5 on 28x28 padded by 2, 2x2 maximum, 16 filters of 5x5x6, 2x2 maximum, 120, 84 and
10 neurons; weights and activations are -1 or +1, inputs the top bit of each pixel. Five kernels
of one engine of 48-lane DSP logic units, which runs them in turn: each convolution with its
maximum, and each dense layer; the last gives ten integer scores and their argmax. In conv1 and
conv2 a lane is one position of one image (14x14 and 5x5 positions after the maximum), in the
others one image. The program memory holds the longest kernel; the program stream brings each
before its turn, one word a clock.

The host cuts maps into patches and rearranges lanes between kernels, see
`benchmarks/dsp/lenet_host.py`; it computes nothing. *words* in and out are what it sends and takes,
of 48 lanes, per 48 images.

*plain*: operations with full adders that share nothing. *operations*: what is executed; the counts
of a layer share the full adders they have in common. *steps*, *bound* (w work, d depth, p both
together, r ports), *over*, *used* and *BRAM* (36 Kb, data + program, estimates) as in
[dsp.md](dsp.md), of a layer were it alone. *runs*: times the program runs for {BATCH} images, all
lanes filled. *cycles*: per 48 images. Whole network: programs, loading, and waiting for the last
results of each kernel included, for a host that answers at once. Latency: first command to last
score of {BATCH} images.
The last table, where there is one, is the Verilog engine with DSP48E1 models, on test images: each
kernel is fed what the host makes of the beats that the one before sent, compared with the
interpreter beat by beat, and the scores with PyTorch's. One line is a pass at full rate, with the
clocks measured; one with gaps in all streams, packets in advance, and resets at random times.
Times are for an **assumed clock of {MHZ:.0f} MHz**, not the result of place and route.
"""
HEAD = (
    "| layer | plain | operations | depth | slices | contexts | steps | bound | over | used "
    "| BRAM | runs | cycles |"
)
HEAD_RTL = (
    "| slices | images | tests passed | clocks of each kernel, measured | computed "
    "| scores = PyTorch | simulator |"
)
HEAD_ALL = (
    "| slices | cycles per 48 images | cycles per image | used | BRAM | words in | words out "
    "| latency us | images/s | programs = graphs | scores = PyTorch |"
)


def layer_rows(case: Compiled, weights: dict[str, IntArray]) -> list[str]:
    """Lines of the table of layers for one number of slices."""
    out = []
    parts = zip(case.graphs, case.programs, case.plans, case.costs, case.bounds, strict=True)
    for graph, program, plan, cost, bound in parts:
        letter = {"work": "w", "depth": "d", "path": "p", "ports": "r"}[bound.reason]
        cells = [
            graph.name,
            f"{plain_operations(graph.name, weights):,}",
            f"{graph.n_ops:,}",
            str(graph.depth),
            str(program.slices),
            str(program.contexts),
            f"{program.steps:,}",
            f"{bound.steps:,} {letter}",
            f"{program.steps / bound.steps - 1:.1%}",
            f"{program.utilization:.0%}",
            f"{cost.data_brams} + {cost.program_brams}",
            f"{plan.groups:,}",
            f"{plan.groups * program.interval * LANES / BATCH:,.0f}",
        ]
        out.append("| " + " | ".join(cells) + " |")
    return out


def plain_operations(name: str, weights: dict[str, IntArray]) -> int:
    """Operations of a layer's counts when nothing is shared, five per full adder."""
    shape = weights[f"{name}.weights"].shape
    neurons = shape[0] * (POOL**2 if len(shape) == 4 else 1)
    inputs = int(np.prod(shape[1:]))
    return 5 * neurons * (inputs - inputs.bit_count())


def total_row(case: Compiled, proved: bool, result: str) -> str:
    """Line of the table of whole networks."""
    total = sum(case.visits(BATCH))
    cycles = total * LANES / BATCH
    work = sum(
        p.groups * f.contexts * f.n_ops for p, f in zip(case.plans, case.programs, strict=True)
    )
    slices, cost = case.machines[0].slices, case.cost
    cells = [
        str(slices),
        f"{cycles:,.0f}",
        f"{cycles / LANES:,.1f}",
        f"{work / (total * slices):.1%}",
        f"{cost.data_brams} + {cost.program_brams}",
        *(f"{words:,.0f}" for words in case.traffic),
        f"{total / MHZ:,.0f}",
        f"{MHZ * 1e6 * LANES / cycles:,.0f}",
        "proved" if proved else "**wrong**",
        result,
    ]
    return "| " + " | ".join(cells) + " |"


def compared(net: PatchNetwork, bits: IntArray, scores: IntArray) -> str:
    """Run images through the programs and compare scores and classes with PyTorch's."""
    wrong = 0
    for at in range(0, len(bits), BATCH):
        out = net.evaluate(bits[at : at + BATCH].reshape(-1, SIDE, SIDE, 1))
        want = scores[at : at + BATCH]
        wrong += int((out[:, :-1] != want).any(axis=1).sum())
        wrong += int((out[:, -1] != want.argmax(axis=1)).sum())
    return f"**{wrong} wrong**" if wrong else f"sampled n={len(bits):,}"


def simulated_rows(case: Compiled, maps: IntArray, scores: IntArray) -> Iterator[str]:
    """Run the engine and its host in Verilator: many images at full rate, few with gaps."""
    words = case.shape.words
    with tempfile.TemporaryDirectory(prefix="nnlogic-lenet-") as scratch:
        files = write_kernels(
            "lenet", case.programs, Path(scratch, "rtl"), most=words, kind=DSP48E1
        )
        for images, repeats in RTL_IMAGES:
            some = maps[:images]
            outputs = case.network.trace(some)
            kernels = Kernels(
                name="lenet",
                programs=case.programs,
                most=words,
                host="benchmarks.dsp.lenet_host:from_folder",
                arguments=save(Path(scratch, "host"), case.network, some, scores[:images], words),
                codes=tuple(m.reshape(-1, m.shape[-1]) for m in outputs),
            )
            found = run_kernels(
                kernels, files, Path(scratch, "sim"), repeats=repeats, timeout=RTL_SECONDS
            )
            good = not found.failed
            bad = [f"{t.name}: {t.message}" for t in found.tests if not t.passed]
            print(*bad, sep="\n", end="")
            cells = [
                *(case.machines[0].slices, images),
                f"{found.passed} of {found.passed + found.failed}",
                " + ".join(f"{n:,}" for n in found.visits),
                "the same" if found.visits == found.promised else "**different**",
                f"sampled n={images}" if good else "**wrong**",
                found.simulator,
            ]
            yield "| " + " | ".join(map(str, cells)) + " |"


def document(slices: Sequence[int], folder: Path | None, most: int, simulate: int | None) -> str:
    """Build, compile, run and compare; return the page."""
    from benchmarks.dsp.train_lenet import infer  # torch, which no other benchmark here needs

    weights = arrays()
    graphs = network(weights)
    mnist = data.load("mnist", folder)
    bits = (mnist.x_test >= LEVEL).astype(np.int64)
    scores = infer(weights, bits)
    accuracy = float((scores.argmax(axis=1) == mnist.y_test).mean())
    layers: list[str] = []
    totals: list[str] = []
    tables = [(HEAD_ALL, totals), (HEAD, layers)]
    for count in slices:
        case = compiled(graphs, count)
        layers += layer_rows(case, weights)
        proved = all(
            prove_program(g, p).equal for g, p in zip(case.graphs, case.programs, strict=True)
        )
        totals.append(total_row(case, proved, compared(case.network, bits[:most], scores[:most])))
    shown = f"python -m benchmarks.dsp.lenet --slices {' '.join(map(str, slices))} --rows {most}"
    if simulate:
        shown += f" --simulate {simulate}"
        maps = bits[:BATCH].reshape(-1, SIDE, SIDE, 1)
        rows = list(simulated_rows(compiled(graphs, simulate), maps, scores[:BATCH]))
        tables.append((HEAD_RTL, rows))
    lines = ["# A binarized LeNet-5 on DSP slices", "", "One run of", "", f"    {shown}", "", NOTES]
    lines += [f"Accuracy {accuracy:.2%} on the {len(bits):,} test images of MNIST.", ""]
    for head, body in tables:
        lines += [head, "|---" * head.count(" | ") + "|---|", *body, ""]
    return "\n".join(lines)


def main() -> None:
    """Print the page, and write it where asked."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.dsp.lenet",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, help="folder with MNIST; fetched when left out")
    parser.add_argument("--slices", type=int, nargs="+", default=[8, 16, 32])
    parser.add_argument("--rows", type=int, default=10_000, help="test images to interpret")
    parser.add_argument("--simulate", type=int, metavar="SLICES", help="run the RTL in Verilator")
    add_write(parser, "dsp-lenet.md")
    args = parser.parse_args()
    page = Page(parser, args.out, is_part(parser, args, "data", "simulate") or not args.simulate)
    # The simulator's process imports the host from here.
    root = str(Path(__file__).parents[2])
    os.environ["PYTHONPATH"] = os.pathsep.join([root, *os.environ.get("PYTHONPATH", "").split()])
    text = document(args.slices, args.data, args.rows, args.simulate)
    print(text)
    page.done(text)


if __name__ == "__main__":
    main()
