"""Minimize what a file of logic asks for: tables, networks, or listed cubes."""

from __future__ import annotations

from nnlogic.logic.specified.care import with_care
from nnlogic.logic.specified.solve import Found, minimize_specification

__all__ = ["Found", "minimize_specification", "with_care"]
