"""The core of a run on a board: bitstream, timing, and a simulation from pin to pin."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nnlogic import __version__
from nnlogic.checks.verdict import Verdict
from nnlogic.core.archive import write_bytes
from nnlogic.core.errors import Different, UsageError
from nnlogic.core.progress import SILENT, Progress
from nnlogic.flows.board_build import Built, Plan, build_board, divisor, plan_board
from nnlogic.flows.boards import Board
from nnlogic.flows.targets import Target
from nnlogic.hw.board.protocol import COUNT_BYTES, DIGEST_BYTES, QUIET_S, REFUSED, TEST, WHO, frame
from nnlogic.job.options import run_limits
from nnlogic.run.served import Served
from nnlogic.sim.board import FAULTS, SIMULATOR, Heard, Sent, board_model, run_board
from nnlogic.tools.find import find
from nnlogic.tools.limits import limited

BAUD = 115_200
TEST_ROWS = 64
SIMULATED = 8
SECONDS = 1800.0
FACTS = "board.json"


@dataclass(frozen=True)
class Boarded:
    """A folder with a bitstream.

    Attributes
    ----------
    out : Path
    facts : mapping
        What stands in ``board.json``.
    checks : tuple of Verdict
    """

    out: Path
    facts: Mapping[str, Any]
    checks: tuple[Verdict, ...]


def board(
    name: str | Path,
    path: Path | str,
    out: Path | str,
    *,
    baud: int = BAUD,
    test_rows: int = TEST_ROWS,
    rows: Any = None,
    simulate: bool = True,
    force: bool = False,
    tool_timeout: float | None = None,
    tool_output: float | None = None,
    progress: Progress = SILENT,
) -> Boarded:
    """Make a bitstream with the core of a run, a serial line and a self-test.

    Parameters
    ----------
    name : str or path
        A board, or a file of one.
    path : path
        A run directory with Verilog of the LUT backend.
    out : path
        Folder to write.
    baud : int
        Bits per second of the serial line.
    test_rows : int
        Rows of the self-test.
    rows : path or array, optional
        For self-test and simulation; by default those the run was measured on.
    simulate : bool
        Simulate the netlist, with frames on the pins of the serial line.
    force : bool
        Replace a folder that this wrote.
    tool_timeout, tool_output : float, optional
        Most seconds of an external program, and most megabytes that it prints.
    progress : Progress

    Raises
    ------
    UsageError
        No such board, not a run, or the folder exists.
    UnsupportedModel
        The core does not take a whole row at a time.
    TargetMissed
        It does not fit.
    Different
        The simulated board answers otherwise than the network; nothing was written.
    ToolNotFound, ToolFailed, ToolTimeout
        A program, or the package of the board, is missing or failed.
    """
    path, out = Path(path), Path(out)
    chosen, served = Board.of(name), Served.of(path)
    _refuse_existing(out, force)
    codes = served.rows(rows).codes
    if not len(codes):
        raise UsageError("a self-test needs a row", where="--rows", why="there is none")
    target = Target.named(chosen.target)
    for program in ("yosys", *(target.pnr.programs if target.pnr else ()), *SIMULATOR * simulate):
        find(program)
    core = {served.core.name: served.core.read_bytes()}
    parameters = served.shell(codes[:test_rows])
    bounds = run_limits(served.report.config, tool_timeout, tool_output, least=SECONDS)
    with (
        limited(bounds),
        tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.absolute().parent) as work,
    ):
        plan, built, folder = _fitted(
            lambda divide: plan_board(
                chosen, parameters, core, baud, served.design.latency, divide
            ),
            Path(work),
            progress,
        )
        checks: tuple[Verdict, ...] = ()
        if simulate:
            sent = codes[:SIMULATED]
            tried = len(codes[:test_rows])
            checks = check_board(served, plan, built, baud, sent, tried, folder, progress)
            for verdict in checks:
                if not verdict.equal:
                    why = verdict.text()
                    raise Different("a check failed, nothing was written", where=str(out), why=why)
        facts = _facts(served, plan, built, baud, len(codes[:test_rows]), checks)
        write_bytes(folder / FACTS, (json.dumps(facts, indent=1) + "\n").encode())
        if out.exists():
            shutil.rmtree(out)
        folder.rename(out)
    return Boarded(out, facts, checks)


def _fitted(
    planned: Callable[[int], Plan], work: Path, progress: Progress
) -> tuple[Plan, Built, Path]:
    """Build with the board's clock, or with the fastest part of it that the layout can take."""
    divide = 1
    while True:
        folder = work / f"clock{divide}"
        folder.mkdir()
        plan = planned(divide)
        built = build_board(plan, folder, progress=progress)
        enough = divisor(plan, built.pnr)
        if enough == divide:
            return plan, built, folder
        divide = enough


def _refuse_existing(out: Path, force: bool) -> None:
    if not out.absolute().parent.is_dir():
        raise UsageError("no such folder", where=str(out.parent), fix="make it first")
    if not out.exists():
        return
    if not (out / FACTS).is_file():
        why = f"it exists, and holds no {FACTS}"
        raise UsageError("not a folder of a board", where=str(out), why=why, fix="another name")
    if not force:
        raise UsageError("the folder exists", where=str(out), fix="another name, or --force")


def check_board(
    served: Served,
    plan: Plan,
    built: Built,
    baud: int,
    codes: Any,
    tried: int,
    folder: Path,
    progress: Progress,
) -> tuple[Verdict, ...]:
    """Simulate a netlist with a host on its pins; compare, and do so again with a fault in it.

    Parameters
    ----------
    served : Served
    plan : Plan
    built : Built
    baud : int
        As the host counts it.
    codes : int array, shape (rows, inputs)
        Rows to send.
    tried : int
        Rows of the self-test.
    folder : Path
        For ``sim``.
    progress : Progress
    """
    target = Target.named(plan.board.target)
    place = folder / "sim"
    model = board_model(built.netlist, target, plan.clock, plan.pins, place, progress=progress)
    rows = served.frames(codes)
    answers = [frame(row[:1], data) for row, data in zip(rows, served.answer(codes), strict=True)]
    who = frame(WHO, served.digest)
    tested = frame(TEST, tried.to_bytes(COUNT_BYTES, "little") + bytes(COUNT_BYTES))
    wrong = rows[0][:-1] + bytes([rows[0][-1] ^ 1])
    talk = [Sent(frame(WHO), len(who))]
    talk += [Sent(row, len(answer)) for row, answer in zip(rows, answers, strict=True)]
    more = [Sent(frame(TEST), len(tested)), Sent(wrong, 2), Sent(frame(WHO), len(who), 0)]
    expected = who + b"".join(answers)
    host = Host(model, plan.clock_hz / baud, place, 4 * round(plan.clock_hz * QUIET_S))
    with progress.step("simulate the board"):
        heard = host.say([*talk, *more])
        whole = expected + tested + frame(REFUSED) + who
        right = heard.data == whole and heard.passed and not heard.failed
        detail = (
            f"self-test of {tried} rows, a damaged frame, {heard.clocks:,} clocks"
            if right
            else _difference(heard, whole)
        )
        title = f"{plan.board.title}, netlist simulated from pin to pin"
        first = Verdict("network", title, right, f"sampled n={len(rows)}", detail)
    with progress.step("simulate the board with a fault"):
        button = "button" in plan.pins
        second = _fault(host, talk if button else [*talk, more[0]], expected, button)
    return first, second


@dataclass(frozen=True)
class Host:
    """The other end of a simulated line: the model, clocks of a bit, a folder, clocks to spare."""

    model: Path
    period: float
    folder: Path
    spare: int

    def say(self, frames: Sequence[Sent], press: bool = False, fault: int = 0) -> Heard:
        """Return what the board says to some frames."""
        return run_board(
            self.model, frames, self.period, self.folder, spare=self.spare, press=press, fault=fault
        )


def _fault(host: Host, talk: Sequence[Sent], expected: bytes, button: bool) -> Verdict:
    """Return whether a fault shows in the answers, and in a self-test after it came up."""
    unseen = []
    sides = ("planted fault", "seen by the host and by the self-test")
    for fault in range(1, FAULTS + 1):
        heard = host.say(talk, button, fault)
        seen = heard.data[: len(expected)] != expected
        if seen and heard.failed and not heard.passed:
            detail = f"an inverted LUT of the core; self-test by {'button' if button else 'host'}"
            return Verdict(*sides, True, f"fault {fault}", detail)
        unseen.append(f"fault {fault}: host {seen}, self-test {heard.failed}")
    return Verdict(*sides, False, f"{FAULTS} faults", "; ".join(unseen))


def _difference(heard: Heard, expected: bytes) -> str:
    pairs = zip(heard.data, expected, strict=False)
    at = next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(heard.data), len(expected)))
    return (
        f"{len(heard.data)} bytes of {len(expected)} came, byte {at} is wrong: "
        f"{heard.data[at : at + 8].hex(' ')} in place of {expected[at : at + 8].hex(' ')}; "
        f"lamps: passed {heard.passed}, failed {heard.failed}"
    )


def _facts(
    served: Served, plan: Plan, built: Built, baud: int, tried: int, checks: tuple[Verdict, ...]
) -> dict[str, Any]:
    path = built.pnr.path
    return {
        "schema": "nnlogic.board/1",
        "nnlogic": __version__,
        "network": served.report.name,
        "board": plan.board.name,
        "title": plan.board.title,
        "bitstream": built.bitstream.name,
        "digest": served.digest.hex(),
        "clock_mhz": plan.shell_hz / 1e6,
        "board_mhz": plan.clock_hz / 1e6,
        "fmax_mhz": round(built.pnr.fmax_mhz, 2),
        "longest_path_ns": None if path is None else path.delay_ns,
        "used": {name: list(pair) for name, pair in built.pnr.utilization.items()},
        "baud": baud,
        "row_bytes": served.input_bytes,
        "answer_bytes": served.output_bytes,
        "digest_bytes": DIGEST_BYTES,
        "rows_per_second": round(baud / 10 / (max(served.input_bytes, served.output_bytes) + 2)),
        "test_rows": tried,
        "latency_clocks": served.design.latency,
        "tools": list(built.tools),
        "checks": [verdict.text() for verdict in checks],
    }
