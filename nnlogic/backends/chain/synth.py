"""Synthesize the whole of a mixed design; without DSP cells it is also placed and routed."""

from __future__ import annotations

from nnlogic.backends.chain import section as mixed_section
from nnlogic.backends.chain.model.chain import Chain
from nnlogic.backends.chain.rows import with_measured
from nnlogic.backends.dsp.synth import ENGINE
from nnlogic.core.archive import write_bytes
from nnlogic.core.bits import total_bits
from nnlogic.core.errors import Problem, TargetMissed, UsageError
from nnlogic.flows.memories import memory_target, resources_of
from nnlogic.flows.synth import synthesize
from nnlogic.flows.targets import Target
from nnlogic.job.directory import Run
from nnlogic.job.tools import Ask, forget_tools, place, put_synth
from nnlogic.report.model import Report

# What the stream ports are called by the harness of a core: see `nnlogic.flows.harness`.
CORE = """module {core} (
  input clk, input rst, input in_valid, input ready, input [{wx}:0] x,
  output out_valid, output [{wy}:0] y
);
  {top} chain (
    .aclk(clk), .aresetn(!rst), .s_axis_tvalid(in_valid), .s_axis_tdata(x),
    .m_axis_tready(ready), .m_axis_tvalid(out_valid), .m_axis_tdata(y[{wy}:1]),
    .s_axis_tready(y[0])
  );
endmodule
"""


def check_mixed(run: Run, target: Target, primitives: bool) -> None:
    """Raise UsageError where a mixed design cannot be synthesized like this."""
    problems = []
    if primitives:
        why = "a mixed design is synthesized as a whole, streams and corner turns included"
        fix = "leave it out, or run nnlogic synth on a segment's own run"
        problems.append(Problem("--primitives", why, fix))
    if target.name != run.report.target:
        why = f"the design was made for {run.report.target}"
        problems.append(Problem("--target", why, f"compile again with --target {target.name}"))
    if problems:
        raise UsageError("the mixed design cannot be synthesized like this", problems=problems)


def synth_mixed(run: Run, ask: Ask) -> tuple[Report, TargetMissed | None]:
    """Return the report with the figures of the whole, and the error of a clock that is not met.

    Raises
    ------
    ToolNotFound, ToolFailed, ToolTimeout
        A program is missing or failed.
    """
    chain = Chain.load(run.ir_path("chain"))
    target = ask.target
    folder = run.path / "synth"
    core = f"{chain.top}_core"
    wide_in, wide_out = (8 * -(-total_bits(ports) // 8) for ports in (chain.inputs, chain.outputs))
    text = CORE.format(core=core, top=chain.top, wx=wide_in - 1, wy=wide_out)
    wrapper = folder / f"{core}.v"
    write_bytes(wrapper, text.encode())
    result = synthesize(
        [*sorted((run.path / "rtl").glob("*.v")), wrapper],
        core,
        memory_target(target),
        folder,
        timeout=ask.timeout,
        progress=ask.progress,
    )
    found = resources_of(result.total, target)
    how = (
        f"{target.name}: {result.tool}, {result.command}; {found.dsps} DSP cells, {found.brams} "
        f"block RAMs, {found.memory_luts} of the LUTs are memory"
    )
    report = with_measured(put_synth(forget_tools(run.report), run.path, result), found, how)
    design = mixed_section.of(report)
    if design is None:
        return report, None
    goal, cycles = run.report.config.get("clock"), design.latency_cycles
    return place(report, run.path, result, memory_target(target), ask, goal, cycles, ENGINE)
