"""Cases: a network, and how it goes through the compiler. They draw, run, save and load."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from .backends import BACKENDS
from .families import stacks
from .reference import Net
from .strategies import EFFORTS, networks, options
from .walk import walk

Draw = Callable[[st.SearchStrategy], Any]
STAGES = "stages"
THROUGH = (STAGES, *BACKENDS)


@st.composite
def cases(
    draw: Draw,
    through: tuple[str, ...] = THROUGH,
    *,
    families: tuple[str, ...] | None = None,
    simulate: bool = False,
    efforts: tuple[str, ...] = EFFORTS,
) -> Net:
    """Draw a case.

    Parameters
    ----------
    through : tuple of str
        Ways through the compiler: ``stages``, or a backend.
    families : tuple of str, optional
        Draw stacks of these families; by default networks, and some stacks of any.
    simulate : bool
        Simulate some of what is compiled.
    efforts : tuple of str
        Of the minimizer.
    """
    way = draw(st.sampled_from(through))
    backend = BACKENDS.get(way)
    first = backend.first if backend is not None and draw(st.integers(0, 3)) < 3 else ""
    wide = first == "Linear" or draw(st.integers(0, 3)) == 3
    case: Net = {"through": way, "seed": draw(st.integers(0, 255))}
    if families is not None or (not first and draw(st.integers(0, 3)) == 3):
        case["stack"] = draw(stacks() if families is None else stacks(families))
    else:
        case["net"] = draw(networks(wide=wide, first=first))
    case["options"] = options(draw, wide, efforts)
    if backend is None:
        case["options"]["k"] = draw(st.sampled_from((4, 6, 2, 3, 5)))
        return case
    case["options"] |= backend.options(draw)
    going_on = draw(st.booleans()) and backend.stages
    case["from"] = draw(st.sampled_from(backend.stages)) if going_on else None
    case["simulate"] = simulate and draw(st.integers(0, 15)) == 15
    return case


def run(case: Net) -> None:
    """Take a case through the compiler in a folder of its own; see `walk.walk`."""
    with tempfile.TemporaryDirectory(prefix="nnlogic-fuzz-") as folder:
        walk(case, Path(folder))


def save(case: Net, path: Path) -> None:
    """Write a case, one line per layer."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(case, indent=1) + "\n")


def load(path: Path) -> Net:
    """Inverse of `save`."""
    case: Net = json.loads(path.read_text())
    return case
