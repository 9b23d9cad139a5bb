"""Files a user carries away: a plain Verilog bench, and scripts for other flows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nnlogic.core.archive import write_bytes
from nnlogic.core.formats import IntArray
from nnlogic.core.inert import ShellWord
from nnlogic.core.names import Identifier
from nnlogic.design.ir import HardwareDesign
from nnlogic.flows.harness import CONTROL, HARNESS, harness_script, harness_verilog
from nnlogic.flows.memories import stream_target
from nnlogic.flows.pnr import pnr_arguments
from nnlogic.flows.synth import SCRIPT, STREAM_SCRIPT, NetPort, synth_script
from nnlogic.flows.targets import Target
from nnlogic.flows.vivado import STREAM_CONSTRAINTS, write_vivado
from nnlogic.flows.vivado import STREAM_SCRIPT as VIVADO_STREAM
from nnlogic.hw.names import port_names
from nnlogic.report.rows import Artifact
from nnlogic.sim.vectors import write_bench

BENCH_ROWS = 1000


def write_user_files(
    design: HardwareDesign,
    files: Sequence[Path],
    folder: Path,
    target: Target,
    clock: float | None,
    codes: IntArray,
) -> list[Artifact]:
    """Write benches and scripts below a run directory; all paths in them are relative."""
    core = [f for f in files if f.stem == design.name]
    written = [*_bench(design, core, folder / "sim", codes[:BENCH_ROWS])]
    flows = folder / "flows"
    sources = [f"../rtl/{f.name}" for f in core]
    write_bytes(flows / SCRIPT, synth_script(sources, Identifier(design.name), target).encode())
    written.append(Artifact(f"flows/{SCRIPT}", f"yosys script for {target.name}"))
    if target.pnr is not None:
        written.append(_pnr(design, flows, target, clock))
    vendor = target if target.part else Target.default_vivado()
    script, constraints = write_vivado(core, design.name, vendor, flows, clock)
    written.append(Artifact(f"flows/{script.name}", f"Vivado script for {vendor.part}"))
    written.append(Artifact(f"flows/{constraints.name}", "clock constraint"))
    return written + (_stream(design, files, flows, target, vendor, clock) if design.stream else [])


def _stream(
    design: HardwareDesign,
    files: Sequence[Path],
    flows: Path,
    target: Target,
    vendor: Target,
    clock: float | None,
) -> list[Artifact]:
    """Write scripts for the stream wrapper with the core in it; its FIFO may be a memory."""
    top = Identifier(f"{design.name}_stream")
    sources = [f"../rtl/{f.name}" for f in files]
    text = synth_script(sources, top, stream_target(target), prefix="stream_")
    write_bytes(flows / STREAM_SCRIPT, text.encode())
    names = (VIVADO_STREAM, STREAM_CONSTRAINTS)
    script, constraints = write_vivado(files, top, vendor, flows, clock, "aclk", names)
    return [
        Artifact(f"flows/{STREAM_SCRIPT}", f"yosys script of the stream for {target.name}"),
        Artifact(f"flows/{script.name}", f"Vivado script of the stream for {vendor.part}"),
        Artifact(f"flows/{constraints.name}", "clock constraint of the stream"),
    ]


def _bench(
    design: HardwareDesign, core: Sequence[Path], sim: Path, codes: IntArray
) -> list[Artifact]:
    bench, *vectors = write_bench(design, sim, codes, design.logic.evaluate(codes))
    sources = " ".join(ShellWord(f"../rtl/{f.name}") for f in core)
    name = Identifier(bench.stem)
    script = f"""#!/bin/sh
# Replays the vectors on Icarus Verilog; any other simulator takes the same two Verilog files.
set -eu
cd -- "$(dirname -- "$0")"
iverilog -g2005 -o {name}.vvp -s {name} {ShellWord(bench.name)} {sources}
vvp -n {name}.vvp | tee {name}.log
grep -q '^PASS' {name}.log
"""
    write_bytes(sim / "run_bench.sh", script.encode())
    what = f"plain Verilog bench with {len(codes)} vectors"
    return [
        Artifact(f"sim/{bench.name}", what),
        *(Artifact(f"sim/{v.name}", "vectors, one hexadecimal number per row") for v in vectors),
        Artifact("sim/run_bench.sh", "runs the plain bench"),
    ]


def _pnr(design: HardwareDesign, flows: Path, target: Target, clock: float | None) -> Artifact:
    settings = target.pnr
    if settings is None:
        raise ValueError(f"{target.name} has no place and route")
    device = target.device_for(design.logic.stats()["luts"], design.registers + design.latency)
    write_bytes(
        flows / "harness.v", harness_verilog(Identifier(design.name), _ports(design)).encode()
    )
    join = harness_script(
        "harness.v", Identifier(design.name), " ".join(target.yosys), "netlist.json"
    )
    write_bytes(flows / "harness.ys", join.encode())
    goal = target.clock_mhz if clock is None else clock
    arguments = " ".join(pnr_arguments(settings, device, goal))
    script = f"""#!/bin/sh
# Synthesis, place and route and bitstream for {device.name}, inside the shift-register harness.
set -eu
cd -- "$(dirname -- "$0")"
${{YOSYS:-yosys}} {SCRIPT}
${{YOSYS:-yosys}} harness.ys
${{NEXTPNR:-{settings.tool}}} {arguments}
${{PACKER:-{settings.packer}}} {settings.layout} {settings.bitstream}
"""
    write_bytes(flows / "pnr.sh", script.encode())
    return Artifact(
        "flows/pnr.sh", f"place and route for {device.name} ({HARNESS} around the core)"
    )


def _ports(design: HardwareDesign) -> tuple[NetPort, ...]:
    x_names, y_names = port_names(design)
    control = [
        NetPort(Identifier(n), "output" if n == "out_valid" else "input", 1) for n in CONTROL
    ]
    data = [NetPort(x_names[p.name], "input", p.format.bits) for p in design.inputs]
    data += [NetPort(y_names[p.name], "output", p.format.bits) for p in design.outputs]
    return (*control, *data)
