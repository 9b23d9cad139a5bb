"""Networks of LUTs made better, and smaller, by their rows: exact, table by table."""

from nnlogic.refine.run import Start, refine, start_of, worth_of
from nnlogic.refine.search import Plan

__all__ = ["Plan", "Start", "refine", "start_of", "worth_of"]
