"""Measure nextpnr's Fmax on random LUT networks of known depth: the origin of the delay models.

Run: python benchmarks/flows_delay.py [TARGET ...]
Prints, per target, one line per design and the smallest line that lies above all periods.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "flows"))
from lut_design import random_design

from nnlogic.flows.pnr import place_and_route
from nnlogic.flows.synth import synthesize
from nnlogic.flows.targets import Target

# Wider or deeper ones take minutes: wiring without locality is the router's worst case.
SIZES = ((60, 3, (1, 2, 3, 4, 6)), (200, 2, (1,)))


def measure(name: str, folder: Path) -> list[tuple[int, float]]:
    """Return (levels, period in ns) of designs placed and routed for a target."""
    target = Target.named(name)
    out = []
    for width, segments, depths in SIZES:
        for levels in depths:
            top = f"w{width}_l{levels}"
            source = folder / f"{top}.v"
            source.write_text(random_design(top, width, segments, levels, 4, seed=width + levels))
            synth = synthesize([source], top, target, folder / top)
            goal = 1000.0 / (1.0 + 1.1 * levels)
            placed = place_and_route(synth, target, folder / top / "pnr", clock=goal)
            period = 1000.0 / placed.fmax_mhz
            out.append((levels, period))
            print(
                f"{name} width {width} levels {levels}: {synth.luts_total} LUTs, "
                f"{placed.fmax_mhz:.1f} MHz, {period:.2f} ns "
                f"(synthesis {synth.seconds:.1f} s, place and route {placed.seconds:.1f} s)",
                flush=True,
            )
    return out


def main() -> None:
    """Measure the targets named on the command line, or all that have nextpnr."""
    names = sys.argv[1:] or [n for n in Target.names() if Target.named(n).pnr is not None]
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            points = np.array(measure(name, Path(folder)))
        slope, offset = np.polyfit(points[:, 0], points[:, 1], 1)
        offset += (points[:, 1] - slope * points[:, 0] - offset).max()
        print(f"{name}: register_ns = {offset:.2f}, level_ns = {slope:.2f}")


if __name__ == "__main__":
    main()
