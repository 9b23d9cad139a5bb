"""A hardened bridge to ABC: BLIF in, script, BLIF out, or a verdict."""

from __future__ import annotations

from pathlib import Path

from nnlogic.core.errors import ToolFailed, ToolTimeout
from nnlogic.tools.find import find
from nnlogic.tools.plain import scratch
from nnlogic.tools.run import Completed, run_tool

# ABC exits with 0 after printing these; tests/tools/test_abc.py provokes each from a real ABC.
FAILURE_PHRASES = (
    "Error:",
    "** cmd error",
    "unknown option",
    "print the command usage",
    "Cannot open",
    "has failed",
    "Empty network",
    "does not look like",
    # An undriven signal is only a warning to ABC, which makes it constant and goes on.
    "Constant-0 drivers added",
    "Assertion",
)


def run_abc(
    script: str, *, cwd: Path, outputs: tuple[Path, ...] = (), timeout: float = 120
) -> Completed:
    """Run an ABC script (commands separated by ``;``) in a directory."""
    return run_tool(
        find("abc"),
        ["-q", script],
        cwd=cwd,
        timeout=timeout,
        outputs=outputs,
        failure_phrases=FAILURE_PHRASES,
        env={"HOME": str(cwd)},
    )


def transform_blif(blif: str, script: str, *, timeout: float = 120) -> str:
    """Read BLIF text into ABC, run `script`, and return the network it leaves as BLIF text."""
    with scratch("abc") as cwd:
        (cwd / "in.blif").write_text(blif)
        out = cwd / "out.blif"
        run_abc(
            f"read_blif in.blif; {script}; write_blif out.blif",
            cwd=cwd,
            outputs=(out,),
            timeout=timeout,
        )
        return out.read_text()


def prove_equal(left: str, right: str, *, timeout: float = 600) -> tuple[bool, str]:
    """Prove two combinational BLIF networks equal, inputs and outputs matched by name.

    Returns
    -------
    equal : bool
    detail : str
        What ABC said.

    Raises
    ------
    ToolFailed
        ABC came to no verdict.
    """
    with scratch("cec") as cwd:
        (cwd / "left.blif").write_text(left)
        (cwd / "right.blif").write_text(right)
        # Without -C and -T, cec gives up early; names must match, since orders may differ.
        limits = f"-C 100000000 -T {max(1, int(timeout))}"
        done = run_abc(f"cec {limits} left.blif right.blif", cwd=cwd, timeout=timeout + 5)
    if "Networks are equivalent" in done.output:
        return True, done.output.strip()
    if "NOT EQUIVALENT" in done.output:
        return False, done.output.strip()
    raise ToolFailed("abc came to no verdict", where="cec", why=done.output.strip()[-500:])


def sweep_equal(
    left: str, right: str, *, timeout: float = 20, conflicts: int = 1000
) -> tuple[bool | None, str]:
    """Try to prove two BLIF networks equal through equal signals inside them.

    Made for two versions of one network; two different adders are often beyond it. Inputs and
    outputs are matched by position.

    Parameters
    ----------
    left, right : str
    timeout : float
        Seconds.
    conflicts : int
        Of the SAT solver, for each pair of signals.

    Returns
    -------
    equal : bool or None
        None where the limits were reached first.
    detail : str
        What ABC said.
    """
    with scratch("sweep") as cwd:
        steps = []
        for name, text in (("left", left), ("right", right)):
            (cwd / f"{name}.blif").write_text(text)
            steps.append(f"read_blif {name}.blif; strash; write_aiger {name}.aig")
        limits = f"-C {conflicts} -T {max(1, int(timeout))}"
        try:
            said = run_abc(
                "; ".join([*steps, f"&cec {limits} left.aig right.aig"]),
                cwd=cwd,
                timeout=2 * timeout + 10,
            ).output.strip()
        except ToolTimeout as late:
            return None, late.what
    equal = {"Networks are equivalent": True, "NOT EQUIVALENT": False}
    return next((value for phrase, value in equal.items() if phrase in said), None), said
