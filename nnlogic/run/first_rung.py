"""The first rung of the ladder: the model as it came in against QuantNet."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from nnlogic.checks.verdict import Verdict
from nnlogic.frontend.verilog_tables import FORMAT, INFO, files_digest, is_verilog
from nnlogic.quant.ir import QuantNet
from nnlogic.report.rows import Source

RECORDED = "recorded torch outputs"
IMPORTED = "input Verilog = QuantNet"


def is_imported(net: QuantNet) -> bool:
    """Whether a network was read from Verilog."""
    return INFO in net.info


def first_title(net: QuantNet) -> str:
    """Return what the first rung checks for this network."""
    return IMPORTED if is_imported(net) else RECORDED


def first_check(
    net: QuantNet, source: Path, timeout: float
) -> tuple[Callable[[], Verdict] | None, str]:
    """Return the check of the first rung, or None and why there is none.

    Parameters
    ----------
    net : QuantNet
    source : Path
        What was compiled; a directory when a run is continued.
    timeout : float
        Seconds for an external program.
    """
    if is_imported(net):
        from nnlogic.checks.imported import check_imported

        # An archive may claim anything of itself; only what was imported now is compared.
        if source.is_file() and is_verilog(source):
            return (lambda: check_imported(net, source, timeout=timeout)), ""
        return None, f"{source.name} does not hold the Verilog it was made from"
    if net.info.get("golden_rows") and source.is_file():
        from nnlogic.checks.golden import check_golden

        return (lambda: check_golden(net, source)), ""
    return None, f"{source.name} holds no recorded torch outputs"


def source_row(net: QuantNet, source: Path, origin: Path) -> Source:
    """Return name, digest and format of what was compiled; `origin` is the file that was read."""
    if not source.is_file():
        kind = "nnlogic run"
    elif is_imported(net) and is_verilog(source):
        files = [source.parent / name for name in net.info[INFO]["files"]]
        return Source(source.name, files_digest(files), f"{FORMAT}, {len(files)} files")
    else:
        kind = str(net.info.get("format", "nnlogic checkpoint"))
    return Source(source.name, hashlib.sha256(origin.read_bytes()).hexdigest(), kind)
