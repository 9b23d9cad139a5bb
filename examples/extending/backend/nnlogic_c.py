"""A toy backend: the logic as a C function that computes 64 samples at a time."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nnlogic.checks.faults import flip_logic_bit
from nnlogic.checks.verdict import Verdict
from nnlogic.core.archive import write_bytes
from nnlogic.core.bits import pack_ports, unpack_ports
from nnlogic.core.errors import UsageError
from nnlogic.core.formats import IntArray
from nnlogic.job.backend import Backend, Simulate
from nnlogic.job.commands import run_commands
from nnlogic.job.context import Context
from nnlogic.job.directory import Run
from nnlogic.job.ladder import open_rungs, verdict_check
from nnlogic.job.option import option
from nnlogic.job.options import Options
from nnlogic.job.rows import read_saved
from nnlogic.job.stage import Comparison, Stage
from nnlogic.job.stages import QuantStage, SimplifiedStage, TablesStage, logic_stages
from nnlogic.logic.ir import LogicNet
from nnlogic.report.model import Report
from nnlogic.report.rows import Artifact, Command
from nnlogic.report.sections import Fact, Section
from nnlogic.tools.find import find
from nnlogic.tools.run import run_tool

COMPILED, FAULT = "rows through the compiled function", "fault in the function, run"
RUNGS = {
    0: ("planted faults are caught", (FAULT,)),
    5: ("LogicNet = C function", (COMPILED,)),
}


@dataclass(frozen=True, kw_only=True)
class COptions(Options):
    """The options of every run, and one more."""

    backend: str = "c"
    unroll: int = option(1, "Words of 64 samples in one call.", metavar="N", kind=int, least=1)


def c_text(logic: LogicNet, unroll: int) -> str:
    """Return the function, and a main that reads words from stdin and writes words to stdout."""
    lines = [f"#define U {unroll}", "#include <stdint.h>", "#include <stdio.h>"]
    lines += ["static void net(const uint64_t *x, uint64_t *y) {"]
    names = [f"x[{i}]" for i in range(logic.n_inputs)]
    for number, fanin in enumerate(logic.fanins):
        count, table = int(logic.fan_in_counts[number]), int(logic.tables[number])
        terms = [
            "&".join(("" if m >> i & 1 else "~") + names[fanin[i]] for i in range(count)) or "~0ull"
            for m in range(1 << count)
            if table >> m & 1
        ]
        lines.append(f"  uint64_t n{number} = {'|'.join(terms) or '0ull'};")
        names.append(f"n{number}")
    lines += [f"  y[{i}] = {names[s]};" for i, s in enumerate(logic.output_signals)]
    inputs, outputs = max(1, logic.n_inputs), len(logic.output_signals)
    return "\n".join([*lines, "}", MAIN.format(inputs=inputs, outputs=outputs), ""])


MAIN = """int main(void) {{
  static uint64_t x[U][{inputs}], y[U][{outputs}];
  size_t n;
  while ((n = fread(x, sizeof x[0], U, stdin)) > 0) {{
    for (size_t i = 0; i < n; i++) net(x[i], y[i]);
    fwrite(y, sizeof y[0], n, stdout);
  }}
  return 0;
}}"""


class CStage(Stage):
    """The file of the function."""

    name = group = "rtl"

    def make(self, ctx: Context) -> None:
        """Write it, and say in the report what it is."""
        text = c_text(ctx.values["logic"], ctx.opts.unroll)
        write_bytes(ctx.folder / "rtl" / f"{ctx.name}.c", text.encode())
        ctx.put(Artifact(f"rtl/{ctx.name}.c", "C function"))
        fact = Fact("function", f"{text.count('uint64_t n')} statements")
        ctx.report = ctx.report.with_section(Section("c", "C function", {}, (fact,)))

    def checks(self, ctx: Context) -> Iterable[Comparison]:
        """Leave everything to `verify`, which runs the function."""
        return ()


class CBackend(Backend):
    """See `nnlogic.job.backend.Backend`."""

    name = "c"
    title = "a C function"
    options = COptions
    output = "rtl/*.c"

    def stages(self, ctx: Context) -> Sequence[Stage]:
        """Return tables, logic and the function."""
        logic = logic_stages(ctx, ctx.target.lut_size)
        return [QuantStage(), TablesStage(), SimplifiedStage(), *logic, CStage()]

    def open_ladder(self, report: Report, net: object) -> Report:
        """Return a report with rungs 0 and 5."""
        return open_rungs(report, RUNGS)

    def commands(self, ctx: Context) -> list[Command]:
        """Return how to make and run it again."""
        return run_commands(ctx, vivado=False)

    def simulate(self, run: Run, ask: Simulate) -> Report:
        """Run the rows, then the same with one bit of one LUT flipped."""
        rows, expected = read_saved(run.path / "sim" / "rows.npz")
        logic = LogicNet.load(run.ir_path("logic"))
        [source] = (run.path / "rtl").glob("*.c")
        verdict = _compared(logic, source, rows.codes, expected, run.path / "sim" / "c")
        report = run.report.with_check(5, verdict_check(COMPILED, verdict))
        wrong, where = flip_logic_bit(logic, rows.codes)
        faulty = run.path / "sim" / "faulty.c"
        write_bytes(faulty, c_text(wrong, 1).encode())
        said = _compared(logic, faulty, rows.codes, expected, run.path / "sim" / "faulty")
        caught = Verdict("planted fault", "rows", not said.equal, said.how, said.where, where)
        return report.with_check(0, verdict_check(FAULT, caught))

    def refuse_synth(self, run: Run, target: object, primitives: bool) -> None:
        """Refuse: there is nothing to synthesize."""
        raise UsageError("a C function is not synthesized", where=str(run.path))


def _compared(
    logic: LogicNet, source: Path, codes: IntArray, expected: IntArray, folder: Path
) -> Verdict:
    """Compile the function and compare what it says with the expected outputs."""
    started = time.monotonic()
    folder = folder.resolve()
    folder.mkdir(exist_ok=True)
    program, words, out = folder / "program", folder / "in.bin", folder / "out.bin"
    words.write_bytes(np.ascontiguousarray(pack_ports(codes, logic.inputs).T).tobytes())
    compiler = find("g++")
    command = ["-x", "c", "-O1", "-o", str(program), str(source.resolve())]
    run_tool(compiler, command, cwd=folder, timeout=600, outputs=[program])
    with words.open("rb") as stdin, out.open("wb") as stdout:
        subprocess.run([program], stdin=stdin, stdout=stdout, check=True, timeout=600)
    got = np.frombuffer(out.read_bytes(), np.uint64).reshape(-1, len(logic.output_signals)).T
    wrong = unpack_ports(got, logic.outputs, len(codes)) != expected
    where = f"row {int(wrong.any(axis=1).argmax())}" if wrong.any() else ""
    how = f"sampled n={len(codes)}"
    return Verdict("QuantNet", "C function", not wrong.any(), how, where=where).timed(started)


BACKEND = CBackend()
