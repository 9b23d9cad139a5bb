"""Clocks that a peer's hardware takes for a row, from its files."""

from __future__ import annotations

from pathlib import Path

from nnlogic.frontend.bthowen.model import read_wisard

HASHER = " h3_hash"


def of_bthowen(file: Path, report: str) -> int:
    """Return the clocks between two rows of a BTHOWeN model, at the least.

    Its hardware works out one hash function per clock, of as many filters at once as it has hash
    units (`rtl/mako_srcs/wisard.sv.mako`), which the report of utilization lists.

    Parameters
    ----------
    file : Path
        The model.
    report : str
        Of utilization, by hierarchy.
    """
    _, filters, hashes, _ = read_wisard(file, None).masks.shape
    units = sum(HASHER in line for line in report.splitlines())
    return hashes * max(1, filters // max(1, units))
