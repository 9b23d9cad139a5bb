"""Run a mixed design's top module against the network, on Icarus or Verilator."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nnlogic.core import bits
from nnlogic.core.formats import IntArray, Port
from nnlogic.core.progress import SILENT, Progress
from nnlogic.sim.cocotb_run import RegressionResult, run_cocotb
from nnlogic.sim.harness import TOP, row_words

CHAIN_TESTS = (
    "chain_full_rate",
    "chain_part_of_a_group",
    "chain_back_pressure",
    "chain_long_gaps",
    "chain_blocked",
    "chain_reset_in_mid_stream",
)


def run_chain_bench(
    top: str,
    files: Sequence[Path],
    folder: Path,
    *,
    inputs: tuple[Port, ...],
    outputs: tuple[Port, ...],
    codes: IntArray,
    expected: IntArray,
    group: int,
    patience: int,
    interval: int,
    simulator: str = "verilator",
    seed: int = 1,
    timeout: float = 600,
    progress: Progress = SILENT,
) -> RegressionResult:
    """Run the tests of a chain: full rate, parts of groups, gaps, a blocked output, resets.

    Parameters
    ----------
    top : str
        Module with the ports of the LUT backend's stream wrapper.
    files : sequence of Path
        Its Verilog, and that of all it instantiates.
    folder : Path
        For build products, logs and results; emptied first.
    inputs, outputs : tuple of Port
        What the bits of a vector are.
    codes, expected : int arrays, shapes (samples, inputs) and (samples, outputs)
        Port values in, and the port values that must come out.
    group : int
        Vectors of the largest group.
    patience : int
        Clocks that suffice for a group, from its first vector in to its last result out.
    interval : int
        Clocks per group at full rate.
    simulator : {"verilator", "icarus"}
    seed : int
    timeout : float
        Seconds, for the build and for the run.
    progress : Progress

    Returns
    -------
    RegressionResult
        `measured_latency` is from the first vector of a group in to its last result out,
        `measured_interval` from one group to the next. Failing tests are part of the result.

    Raises
    ------
    ToolNotFound, ToolFailed, ToolTimeout
        The simulator is missing, crashed or hung, or not all tests ran.
    """
    codes, expected = bits.check_codes(codes, inputs), bits.check_codes(expected, outputs)
    done = run_cocotb(
        files,
        chain_top(top, bits.total_bits(inputs), bits.total_bits(outputs)),
        folder,
        module="nnlogic.sim.chain.bench",
        names=CHAIN_TESTS,
        config={
            "rows": [f"{r:x}" for r in row_words(codes, inputs)],
            "expected": [f"{r:x}" for r in row_words(expected, outputs)],
            "latency": patience,
            "wrapped": True,
            "seed": seed,
            "group": group,
            "patience": patience,
            "interval": interval,
        },
        simulator=simulator,
        seed=seed,
        timeout=timeout,
        progress=progress,
    )
    return done.regression(len(codes))


def chain_top(top: str, width_in: int, width_out: int) -> str:
    """Return Verilog of the bench's top module; `y` is a result without padding."""
    wide_in, wide_out = 8 * -(-width_in // 8), 8 * -(-width_out // 8)
    ports = [
        *("input aclk", "input aresetn", f"input [{wide_in - 1}:0] s_axis_tdata"),
        *("input s_axis_tvalid", "output s_axis_tready"),
        f"output [{wide_out - 1}:0] m_axis_tdata",
        *("output m_axis_tvalid", "input m_axis_tready"),
    ]
    names = [port.split()[-1] for port in ports]
    pins = ",\n    ".join(f".{name}({name})" for name in names)
    return (
        f"`timescale 1ns / 1ps\nmodule {TOP} (\n  "
        + ",\n  ".join([*ports, f"output [{width_out - 1}:0] y"])
        + f"\n);\n  {top} dut (\n    {pins}\n  );\n"
        + f"  assign y = m_axis_tdata[{width_out - 1}:0];\nendmodule\n"
    )
