"""Comparison of any stage with any other, formal proofs, planted faults, the ladder."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nnlogic.checks.compare import Stage
    from nnlogic.checks.verdict import Verdict
    from nnlogic.core.formats import IntArray
    from nnlogic.core.progress import Progress

__all__ = ["check"]


def check(
    left: Stage,
    right: Stage,
    *,
    codes: IntArray | None = None,
    samples: int = 4096,
    seed: int = 0,
    progress: Progress | None = None,
) -> Verdict:
    """Compare two stages by the strongest method there is for the pair.

    Parameters
    ----------
    left, right : QuantNet, TableNet, LogicNet or HardwareDesign
        In either order.
    codes : int array, shape (samples, inputs), optional
        Input rows for methods that sample; random rows when absent.
    samples, seed : int
        Number and seed of random rows.
    progress : Progress, optional

    Returns
    -------
    Verdict
        A difference is a verdict, not an exception.

    Raises
    ------
    InputError
        `codes` do not fit the ports.
    ToolNotFound, ToolFailed
        A proof needs a program that is missing or came to no verdict.
    """
    from nnlogic.checks.compare import compare
    from nnlogic.core.progress import SILENT

    return compare(
        left, right, codes=codes, samples=samples, seed=seed, progress=progress or SILENT
    )
