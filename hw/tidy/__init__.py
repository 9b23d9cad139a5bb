"""Verilog as Yosys writes it, made into what an engineer would have written."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from nnlogic.hw.lines import several
from nnlogic.hw.tidy.emit import module_text
from nnlogic.hw.tidy.fold import drop_dead, fold
from nnlogic.hw.tidy.names import name_temporaries, plain_names
from nnlogic.hw.tidy.narrow import narrow, widen
from nnlogic.hw.tidy.parse import parse_module


def tidy(text: str, ports: Mapping[str, Sequence[str]] | None = None) -> str:
    """Return the same circuit: ports declared once and in groups, no numbered wires, short lines.

    - Ports stand in the module's head: clock, reset, then the order asked for.
    - Numbered wires are cut to what is read of them, and become part of the expressions that
      read them, or get names from what they feed.
    - Plain registers of a clock stand in one block; initial values in ``initial``.
    - What nothing reads is read by a wire ``unused_...``, which says that it is meant.

    Parameters
    ----------
    text : str
        Verilog as Yosys writes it, without the comment at its top.
    ports : mapping of str to sequence of str, optional
        Order of the ports by module; inputs before outputs where there is none.
    """
    parts = re.split(r"(?<=\nendmodule\n)", text)
    modules = [parse_module(plain_names(part)) for part in parts if part.strip()]
    given = {
        (module.name, name)
        for module in modules
        for name, net in module.nets.items()
        if net.direction == "output"
    }
    for module in modules:
        drop_dead(module)
        narrow(module)
        widen(module)
        fold(module)
        name_temporaries(module)
    return several([module_text(m, (ports or {}).get(m.name, ()), given) for m in modules])
