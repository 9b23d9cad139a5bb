"""Compile time of a windowed network by its kernels: every stage up to proved logic, no cache.

    python -m benchmarks.windows                # 1,000 kernels; the aim is 3 minutes on 2 cores
    python -m benchmarks.windows --kernels 100

Half of the kernels are tables of six learned wires, half are signs of 3x3 windows with ternary
weights. What matters is the number of kernels: the second line repeats all on a map with four
times as many positions.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from nnlogic.checks import check
from nnlogic.core.archive import frozen
from nnlogic.core.formats import IntFormat, Port
from nnlogic.core.windows import Frame, Window
from nnlogic.logic.build import minimize
from nnlogic.quant.ir import INPUT, Enumerated, Linear, QuantNet, Windowed
from nnlogic.quant.kernel import Kernel
from nnlogic.quant.pooling import global_pooling
from nnlogic.tables.build import tabulate
from nnlogic.tables.passes import simplify

U1 = IntFormat(1)


def network(kernels: int, side: int, seed: int = 0) -> QuantNet:
    """Return two convolutions of half of the kernels each, and sums over the map."""
    rng = np.random.default_rng(seed)
    frame, half = Frame(1, side, side), kernels // 2
    weights = frozen(rng.integers(-1, 2, (half, 9)), np.int64)
    bounds = frozen(np.sort(rng.integers(-1, 3, (half, 1)), axis=1), np.int64)
    bias = frozen(np.zeros(half), np.int64)
    signs = Linear("signs", (INPUT,), weights, bias, bounds, (U1,) * half)
    first = Windowed(
        "conv0", (INPUT,), frame, Window((3, 3), (1, 1), (1, 1, 1, 1)), (Kernel((signs,)),)
    )
    window = Window((3, 3), (2, 2))
    width = window.taps * half
    wires = tuple(tuple(rng.choice(width, 6, replace=False).tolist()) for _ in range(half))
    tables = tuple(frozen(rng.integers(0, 2, 64), np.int64) for _ in range(half))
    luts = Enumerated("luts", (INPUT,), wires, tables, (U1,) * half, (U1,) * width)
    second = Windowed("conv1", ("conv0",), first.output, window, (Kernel((luts,)),))
    sums = global_pooling("sums", "conv1", second.output, U1, "sum", role="output")
    ports = tuple(Port(f"x{i}", U1) for i in range(frame.wires))
    outputs = tuple((Port(f"y{i}", f), "sums", i) for i, f in enumerate(sums.formats))
    return QuantNet(f"kernels{kernels}", ports, (first, second, sums), outputs)


def measured(kernels: int, side: int, effort: str) -> None:
    """Compile and prove one network; print seconds by stage."""
    net = network(kernels, side)
    net.verify()
    before = processor_seconds()
    seconds: dict[str, float] = {}

    def timed(name: str, make: Callable[[], Any]) -> Any:
        start = time.monotonic()
        out = make()
        seconds[name] = time.monotonic() - start
        return out

    def proved(name: str, left: Any, right: Any) -> None:
        verdict = timed(name, lambda: check(left, right))
        if not verdict.equal or verdict.how not in ("exhaustive", "proved"):
            raise SystemExit(f"{name}: {verdict}")

    tables = timed("tabulate", lambda: tabulate(net))
    proved("tables", net, tables)
    simple = timed("simplify", lambda: simplify(tables, effort=effort)[0])
    proved("simplified", tables, simple)
    logic = timed("minimize", lambda: minimize(simple, effort=effort, jobs=2, cache_dir=False))
    proved("logic", simple, logic)
    print(
        f"{kernels} kernels, {side}x{side}: {tables.stats()['tables']} tables, "
        f"{logic.stats()['luts']} LUTs, {sum(seconds.values()):.0f} s, "
        f"{processor_seconds() - before:.0f} of processors; "
        + ", ".join(f"{name} {value:.1f}" for name, value in seconds.items())
    )


def processor_seconds() -> float:
    """Return what this process and those that it waited for took of processors."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def main() -> None:
    """Measure, at two sizes of the map."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kernels", type=int, default=1000)
    parser.add_argument("--effort", default="fast")
    arguments = parser.parse_args()
    for side in (4, 8):
        measured(arguments.kernels, side, arguments.effort)


if __name__ == "__main__":
    main()
