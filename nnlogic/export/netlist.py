"""BLIF, AIGER and combinational Verilog: one node for each LUT, or a graph of ANDs."""

from __future__ import annotations

from nnlogic.checks.specification import check_file
from nnlogic.checks.verdict import Verdict
from nnlogic.export import Export, Subject, Written
from nnlogic.logic.formats import encode
from nnlogic.logic.formats.spec import Specification


def write(subject: Subject, suffix: str) -> Written:
    """Return the network as a file of logic."""
    cone = subject.cone
    data = encode(suffix, subject.name, *subject.bit_names(), cone)
    return Written(data, {"LUT": cone.luts, "depth": cone.depth})


def check(subject: Subject, data: bytes, suffix: str) -> tuple[Verdict, ...]:
    """Compare a file, as ABC or yosys reads it, with the network."""
    cone = subject.cone
    return (
        check_file(data, suffix, Specification(subject.name, *subject.bit_names(), cone), cone),
    )


EXPORT = Export((".blif", ".aig", ".aag", ".v"), "netlists: BLIF, AIGER, Verilog", write, check)
