"""Every place of every format with every value that programs rarely expect, one at a time.

Drawn mutations reach a place of many with a value of many now and then; this leaves none out.
Places that differ in numbers alone, such as the layers of a network, count as one.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from .codecs import Codec
from .format import UNREADABLE, Format, Tree
from .place import Case
from .trees import Place, inside, leaves

SWEPT = (
    0, -1, 64, 2**31 - 1, 2**53 + 1, 2**63, 10**400, 3.5e38, -1e300, float("nan"), float("inf"),
    "", "x", "é" * 300, "9" * 5000, None, True, [], {}, [0],
)  # fmt: skip
"""What stands in a place instead."""


def cases(fmt: Format, made: Path) -> Iterator[Case]:
    """Yield the cases of a format, its commands in turn."""
    rng = Random(fmt.name)
    seen: set[str] = set()
    for codec in dict.fromkeys(m.codec for m in fmt.mutations if isinstance(m, Tree)):
        for right in fmt.right(made):
            try:
                tree = codec.decode(right)
            except UNREADABLE:
                continue
            for place in leaves(tree):
                pattern = re.sub(r"\d+", "#", ".".join(map(str, place)))
                if not place or pattern in seen:
                    continue
                seen.add(pattern)
                for data, what in _swept(codec, tree, place):
                    yield Case(fmt.name, data, rng.choice(fmt.commands).argv, (what,))


def _swept(codec: Codec, tree: Any, place: Place) -> Iterator[tuple[bytes, str]]:
    old = inside(tree, place)
    news = _arrays(old) if isinstance(old, np.ndarray) else SWEPT
    for new in news:
        changed = copy.deepcopy(tree)
        inside(changed, place[:-1])[place[-1]] = new
        try:
            yield codec.encode(changed), f"{'.'.join(map(str, place))[:80]}: {new!r}"[:160]
        except UNREADABLE:
            continue


def _arrays(old: np.ndarray) -> Iterator[np.ndarray]:
    """Yield arrays like an old one, with extreme values in one place and everywhere."""
    if old.dtype.kind == "f":
        values = [np.nan, np.inf, -np.inf, float(np.finfo(old.dtype).max), 1e-30, 0.0, -1.0]
    elif old.dtype.kind in "iu":
        info = np.iinfo(old.dtype)
        values = [int(info.min), int(info.max), int(info.max) // 2, 0]
    else:
        values = []
    for value in values:
        for many in (slice(None), slice(0, 1)):
            new = old.copy()
            new.reshape(-1)[many] = value
            yield new
    flat = old.reshape(-1)
    yield from (flat[:0], flat, old[None], np.concatenate([flat, flat]))
