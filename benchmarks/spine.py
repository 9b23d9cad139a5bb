"""The measures of README, in one run: `make bench`. Times depend on the machine."""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import nnlogic
from nnlogic.core.archive import frozen
from nnlogic.core.bits import pack_ports, random_codes
from nnlogic.core.formats import IntFormat, Port
from nnlogic.logic.ir import LogicNet
from nnlogic.quant.ir import INPUT, Argmax, Linear, QuantNet

ROOT = Path(__file__).parents[1]
DEMO = ROOT / "examples" / "jets"
CLI = [sys.executable, "-m", "nnlogic"]


def first_output(args: list[str], folder: Path) -> tuple[float, float]:
    """Seconds to the first byte a command prints, and to its end."""
    start = time.perf_counter()
    process = subprocess.Popen(
        [*CLI, *args], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert process.stdout is not None
    process.stdout.read(1)
    first = time.perf_counter() - start
    process.stdout.read()
    process.wait()
    return first, time.perf_counter() - start


def wide_net(neurons: int = 150, fan_in: int = 4, bits: int = 3, seed: int = 0) -> QuantNet:
    """Four layers, 12-bit fan-in, 3-bit outputs, gaussian weights, plus argmax over 5 scores."""
    rng = np.random.default_rng(seed)
    widths, source, previous = (neurons - 50, 30, 15, 5), INPUT, 32
    layers: list[Linear | Argmax] = []
    for number, width in enumerate(widths):
        weights = np.zeros((width, previous), np.int64)
        # Every neuron is read, as in a trained network.
        deal = [w for _ in range(width) for w in rng.permutation(previous)]
        for at, row in enumerate(weights):
            chosen = list(dict.fromkeys(deal[at * fan_in :]))[:fan_in]
            row[chosen] = np.round(40 * rng.normal(size=fan_in)).astype(np.int64)
        half = (2**bits - 1) / 2
        center = weights.sum(axis=1) * half
        spread = np.sqrt((weights.astype(float) ** 2).sum(axis=1)) * 2.3
        steps = np.linspace(-1.2, 1.2, 2**bits - 1)
        thresholds = np.sort(np.round(center[:, None] + spread[:, None] * steps), axis=1)
        layers.append(
            Linear(
                f"fc{number + 1}",
                (source,),
                frozen(weights, np.int64),
                frozen(np.zeros(width), np.int64),
                frozen(thresholds, np.int64),
                (IntFormat(bits),) * width,
            )
        )
        source, previous = f"fc{number + 1}", width
    winner = IntFormat(3)
    layers.append(Argmax("argmax", (source,), (winner,)))
    outputs = [(Port(f"score_{i}", IntFormat(bits)), source, i) for i in range(previous)]
    return QuantNet(
        name="wide",
        inputs=tuple(Port(f"x{i}", IntFormat(bits)) for i in range(32)),
        layers=tuple(layers),
        output_wires=(*outputs, (Port("class", winner), "argmax", 0)),
    )


def compile_wide(folder: Path) -> None:
    """Time and memory of a whole compile with all proofs, nothing cached."""
    net = wide_net()
    net.verify()
    net.save(folder / "wide.safetensors")
    env = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache")}
    start = time.perf_counter()
    done = subprocess.run(
        [*CLI, "compile", "wide.safetensors", "-o", "wide", "--target", "xcup"],
        cwd=folder, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    seconds = time.perf_counter() - start
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
    logic = LogicNet.load(folder / "wide" / "ir" / "logic.safetensors")
    neurons = sum(len(layer.formats) for layer in net.layers) - 1
    print(
        f"compile {neurons} neurons, 12-bit fan-in, 3-bit outputs, all proofs: {seconds:.1f} s, "
        f"largest process {peak:.2f} GB, {logic.stats()['luts']} LUT6"
    )


def evaluate_speed(folder: Path) -> None:
    """Node evaluations per second on one core, and samples per second against torch."""
    import torch

    from nnlogic.nn import load_network

    torch.set_num_threads(1)
    checkpoint = DEMO / "jets.safetensors"
    net = nnlogic.load(checkpoint)
    logic = nnlogic.minimize(nnlogic.tabulate(net))
    samples = 1 << 20
    words = pack_ports(random_codes(logic.inputs, samples), logic.inputs)
    logic.evaluate_words(words[:, :64])
    best = min(_timed(lambda: logic.evaluate_words(words)) for _ in range(5))
    rate = samples / best
    print(
        f"LogicNet.evaluate_words, 1 core: {rate * logic.n_nodes:.3g} node-evaluations/s, "
        f"{rate:.3g} samples/s ({logic.n_nodes} nodes)"
    )
    network = load_network(checkpoint)
    with np.load(DEMO / "rows.npz") as data:
        rows = np.tile(data["X"].astype(np.float32), (4, 1))
    network.evaluate(rows[:100])
    torch_best = min(_timed(lambda: network.evaluate(rows)) for _ in range(5))
    torch_rate = len(rows) / torch_best
    print(f"torch model, 1 core: {torch_rate:.3g} samples/s; ratio {rate / torch_rate:.0f}x")


def _timed(call: object) -> float:
    start = time.perf_counter()
    call()  # type: ignore[operator]
    return time.perf_counter() - start


def start_up(folder: Path) -> None:
    """Time to first output of each command; second run, so that byte code is cached."""
    checkpoint = str(DEMO / "jets.safetensors")
    commands = {
        "--help": ["--help"],
        "inspect": ["inspect", checkpoint],
        "compile": ["compile", checkpoint, "-o", "run", "--force"],
        "verify": ["verify", "run"],
        "synth": ["synth", "run", "--no-pnr"],
        "report": ["report", "run"],
        "doctor": ["doctor"],
        "train": ["train", "digits", "-o", "digits.safetensors"],
    }
    for name, args in commands.items():
        if name in ("--help", "inspect", "doctor"):
            first_output(args, folder)
        first, total = first_output(args, folder)
        print(f"{name:<9} first output {first:.2f} s, end {total:.1f} s")


def main() -> None:
    """Run all measures, or those named."""
    measures = {"start": start_up, "wide": compile_wide, "evaluate": evaluate_speed}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("measure", nargs="*", choices=[*measures, []], default=[])
    chosen = parser.parse_args().measure or list(measures)
    for name in chosen:
        with tempfile.TemporaryDirectory() as folder:
            measures[name](Path(folder))


if __name__ == "__main__":
    main()
