"""How much a file may ask for: one place for limits that are stated and can be raised.

A file of a kilobyte can name a trillion features or unpack to gigabytes. Readers ask here before
they take time or memory. Each limit is far above any real network, and a user who has one beyond
it raises it by an environment variable, which the message names.
"""

from __future__ import annotations

import json
import os
import tomllib
from dataclasses import dataclass
from typing import Any

from nnlogic.core.errors import Problem, UsageError

PREFIX = "NNLOGIC_MAX_"
MOST = 10**18
"""No limit can be raised to this."""


@dataclass(frozen=True)
class Limit:
    """A number that a file may not exceed.

    Attributes
    ----------
    name : str
        The variable that raises it is `PREFIX` and this, in capitals.
    default : int
    what : str
        What is counted, in the plural.
    """

    name: str
    default: int
    what: str

    @property
    def variable(self) -> str:
        """Name of the environment variable."""
        return PREFIX + self.name.upper()

    @property
    def value(self) -> int:
        """The limit that holds now.

        Raises
        ------
        UsageError
            The environment variable is no positive whole number.
        """
        text = os.environ.get(self.variable, "")
        if not text:
            return self.default
        if not (text.isascii() and text.isdigit() and len(text) < 19 and int(text)):
            why = f"{text[:40]!r} is no whole number above 0"
            raise UsageError(f"{self.variable} cannot be used", why=why, fix="unset it")
        return int(text)

    def why(self, count: int, what: str = "") -> str:
        """Return what is wrong with a count, or an empty text.

        Parameters
        ----------
        count : int
        what : str
            What is counted, where that is narrower than the limit's own word.
        """
        if count <= self.value:
            return ""
        figure = f"{count:,}" if count < MOST else "10^18 or more"
        return f"{figure} {what or self.what}, limit {self.value:,}"

    def fix(self, count: int) -> str:
        """Return what lets a count pass; an empty text for one that no limit can be raised to."""
        return f"{self.variable}={count}" if count < MOST else ""

    @property
    def more(self) -> str:
        """What raises the limit where it is not known how much is needed."""
        return self.fix(2 * self.value)

    def problems(self, where: str, count: int) -> list[Problem]:
        """Return a count as a problem, where it is one."""
        why = self.why(count)
        return [Problem(where, why, self.fix(count))] if why else []


FEATURES = Limit("features", 65_536, "input features")
CLASSES = Limit("classes", 4_096, "classes")
LAYERS = Limit("layers", 1_024, "layers")
NEURONS = Limit("neurons", 1 << 18, "neurons in a layer")
WEIGHTS = Limit("weights", 1 << 25, "weights in a layer")
CLOCKS = Limit("clocks", 1 << 20, "clock cycles, or pipeline segments")
NESTING = Limit("nesting", 64, "levels of lists and tables")
TEXT = Limit("text", 1 << 26, "bytes of text")
UNPACKED = Limit("unpacked", 1 << 29, "bytes when unpacked")
PORTS = Limit("ports", 1 << 17, "inputs, or outputs, of a file of logic")
FAN_IN = Limit("fan_in", 1 << 14, "inputs of a node")
ENTRIES = Limit("entries", 1 << 26, "entries of all tables of a file")
SIGNALS = Limit("signals", 1 << 22, "bits of all signals of a circuit")
WIDTH = Limit("width", 1 << 20, "bits of a signal, or words of an array")
INSTANCES = Limit("instances", 1 << 16, "instances of modules")
HIERARCHY = Limit("hierarchy", 1 << 10, "levels of modules within each other")
LINKS = Limit("links", 1 << 13, "operands, or branches, one behind another")
LIMITS = (
    FEATURES, CLASSES, LAYERS, NEURONS, WEIGHTS, CLOCKS, NESTING, TEXT, UNPACKED, PORTS, FAN_IN,
    ENTRIES, SIGNALS, WIDTH, INSTANCES, HIERARCHY, LINKS,
)  # fmt: skip


def nesting(value: Any) -> int:
    """Return how many levels of lists and mappings there are in JSON or TOML data."""
    depth, level = 0, [value]
    while level:
        inner = [part for item in level for part in _parts(item)]
        depth += any(isinstance(item, dict | list) for item in level)
        level = inner
    return depth


def _parts(item: Any) -> list[Any]:
    if isinstance(item, dict):
        return list(item.values())
    return item if isinstance(item, list) else []


def parse_json(text: str | bytes) -> Any:
    """Return JSON data of limited size and depth.

    Raises
    ------
    ValueError
        It is not JSON, too long, or nested too deep.
    """
    if why := TEXT.why(len(text)):
        raise ValueError(why)
    try:
        value = json.loads(text)
    except RecursionError:
        raise ValueError(too_deep()) from None
    return shallow(value)


def parse_toml(text: str) -> Any:
    """Return TOML data of limited size and depth.

    Raises
    ------
    ValueError
        It is not TOML, too long, or nested too deep.
    """
    if why := TEXT.why(len(text)):
        raise ValueError(why)
    try:
        value = tomllib.loads(text)
    except RecursionError:
        raise ValueError(too_deep()) from None
    return shallow(value)


def shallow(value: Any) -> Any:
    """Return data that is not nested too deep.

    Raises
    ------
    ValueError
        It is.
    """
    if why := NESTING.why(nesting(value)):
        raise ValueError(why)
    return value


def too_deep() -> str:
    """Return what is wrong with data that a parser of limited depth gave up on."""
    return f"more than {NESTING.value} {NESTING.what}"
