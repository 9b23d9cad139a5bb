"""What a cocotb run left behind: its tests, and how each ended."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from nnlogic.core.errors import ToolFailed


@dataclass(frozen=True)
class TestOutcome:
    """One cocotb test: its name, whether it passed, and the message when it did not."""

    __test__ = False

    name: str
    passed: bool
    seconds: float
    message: str = ""


def read_results(path: Path) -> tuple[TestOutcome, ...]:
    """Read a cocotb results file (JUnit XML).

    Raises
    ------
    ToolFailed
        The file is not XML.
    """
    try:
        root = ElementTree.parse(path).getroot()
    except ElementTree.ParseError as error:
        raise ToolFailed(
            "cannot read the cocotb results", where=str(path), why=str(error)
        ) from error
    out = []
    for case in root.iter("testcase"):
        bad = [c for c in case if c.tag in ("failure", "error", "skipped")]
        message = "; ".join(_message(c) for c in bad)
        seconds = float(case.get("time", 0))
        out.append(TestOutcome(str(case.get("name")), not bad, seconds, message))
    return tuple(out)


def _message(element: ElementTree.Element) -> str:
    text = element.get("message") or element.get("error_msg") or element.text or element.tag
    return " ".join(text.split())[:500]
