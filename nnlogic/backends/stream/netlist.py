"""A stream's netlist in the bench of its Verilog, with wrong bits that the bench must see.

Building a simulator takes most of the time, so there is one build: beside some LUTs of the netlist
stands their like with one wrong bit, and a port chooses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from nnlogic.backends.stream.rows import NETLIST_CHECK, NETLIST_FAULT
from nnlogic.backends.stream.whole import tag_simulator
from nnlogic.core.archive import write_bytes
from nnlogic.core.errors import ToolFailed, ToolNotFound, ToolTimeout, UsageError
from nnlogic.flows.synth import SynthResult
from nnlogic.job.tools import Ask
from nnlogic.report.rows import Check
from nnlogic.sim.cocotb_run import CocotbRun
from nnlogic.sim.netlist import behavioural, with_wrong_bits

SMALL = 3000
"""Cells of a netlist below which the simulator that builds faster is the faster one."""
WRONG_BITS = 16
"""Put beside right ones: not every bit of a LUT is read on a few frames."""


@dataclass(frozen=True, eq=False)
class NetlistBench:
    """What a netlist is put through.

    Attributes
    ----------
    folder : Path
        For sources, build products, logs and results.
    core : str
        Module of the netlist.
    ports : str
        Verilog of a module called as the stream's top around it, with the stream's ports. It has an
        input ``fault``, ``{faults}`` bits wide, that goes to the input that `with_wrong_bits`
        gives the core.
    wrong : str
        The test that needs a wrong bit to be seen.
    run : callable
        Builds files in a folder on a simulator and runs the tests, with the width of ``fault``.
    check : callable
        Makes a row of what the other tests gave.
    sent : int
        Frames or results.
    """

    folder: Path
    core: str
    ports: str
    wrong: str
    run: Callable[[list[Path], Path, str, int], CocotbRun]
    check: Callable[[CocotbRun], Check]
    sent: int


def netlist_checks(result: SynthResult, bench: NetlistBench, ask: Ask) -> Iterator[Check]:
    """Yield what simulation says of the netlist, and whether it sees a wrong bit in it."""
    netlist = result.files["netlist_verilog"]
    cells = result.total.luts_total + result.total.ffs
    sources = bench.folder / "sources"
    sources.mkdir(parents=True, exist_ok=True)
    try:
        text, places = with_wrong_bits(netlist.read_text(), bench.core, WRONG_BITS)
        wrong = sources / "wrong_bits.v"
        write_bytes(wrong, text.encode())
        files = behavioural(wrong, bench.core, ask.target, sources, progress=ask.progress)
        ports = sources / "stream_ports.v"
        write_bytes(ports, bench.ports.replace("{faults}", str(len(places))).encode())
        simulator = tag_simulator() if cells < SMALL else "verilator"
        with ask.progress.step("check: Verilog = netlist"):
            found = bench.run([ports, *files], bench.folder / simulator, simulator, len(places))
    except (ToolFailed, ToolNotFound, ToolTimeout, UsageError) as error:
        last = error.why.strip().splitlines()[-1:]
        yield Check(NETLIST_CHECK, detail=": ".join([error.what, *last]))
        return
    seen = next(t for t in found.tests if t.name == bench.wrong)
    right = replace(found, tests=tuple(t for t in found.tests if t is not seen))
    check = bench.check(right)
    said = "control, windows and connections are simulated, not proved"
    yield replace(check, detail=f"{check.detail}; {said}")
    if check.verdict == "pass":
        how = f"sampled n={bench.sent}"
        if seen.passed:
            yield Check(NETLIST_FAULT, "pass", how, f"one bit of {places[found.measured['wrong']]}")
        else:
            yield Check(NETLIST_FAULT, "fail", how, f"{seen.message}: {'; '.join(places)}")
