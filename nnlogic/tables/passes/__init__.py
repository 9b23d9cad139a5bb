"""Passes on TableNet; `simplify` runs them all."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nnlogic.core.passes import PassRecord
    from nnlogic.core.progress import Progress
    from nnlogic.tables.ir import TableNet

__all__ = ["simplify"]


def simplify(
    net: TableNet,
    *,
    effort: str = "normal",
    timeout: float = 600.0,
    progress: Progress | None = None,
) -> tuple[TableNet, tuple[PassRecord, ...]]:
    """Mark what cannot occur as don't-care, and drop what is then not needed.

    The result computes the same outputs for every input. It may lack tables, table inputs and
    output bits of `net`; those that remain carry the signals they carried before.

    Parameters
    ----------
    net : TableNet
        Returned as it is when some care set comes from observed data: what such a table emits
        elsewhere is not known, so nothing can be derived from it.
    effort : str
        ``"fast"``, ``"normal"`` or ``"high"``; see `nnlogic.tables.passes.effort`.
    timeout : float
        Seconds for one call of ABC; what it has not proved by then is kept as care.
    progress : Progress, optional

    Returns
    -------
    net : TableNet
    records : tuple of PassRecord
        One per pass. The name says how much was left out for want of effort.

    Raises
    ------
    UsageError
        Unknown effort.
    """
    from nnlogic.core.progress import SILENT
    from nnlogic.tables.passes.driver import run_all

    return run_all(net, effort=effort, timeout=timeout, progress=progress or SILENT)
