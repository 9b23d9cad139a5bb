"""LogicNets-family Verilog -> QuantNet: published networks, optimized without training.

A neuron is a module with one table, as a ``case``, a conditional chain, an array of constants or a
function, a layer is a module that wires neurons, the top
wires layers, with or without registers between. That is what the LogicNets tools write
(Umuroglu et al., "LogicNets: Co-Designed Neural Networks and Circuits for Extreme-Throughput
Applications", FPL 2020), and PolyLUT, PolyLUT-Add and NeuraLUT after them.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

from nnlogic.core.errors import Problem, UnsupportedModel
from nnlogic.core.names import identifier
from nnlogic.frontend.format import files_digest
from nnlogic.frontend.verilog.layers import LayerMaker
from nnlogic.frontend.verilog.link import Linker
from nnlogic.frontend.verilog.text import Library, read_plain
from nnlogic.frontend.verilog.trace import Circuit, trace_circuit
from nnlogic.quant.ir import QuantNet
from nnlogic.tools.verilog_2001 import changed, names_to_change
from nnlogic.tools.verilog_guard import check_sources

MOST_PROBLEMS = 100
GENERIC_TOPS = ("logicnet", "polylut", "neuralut", "top")
_WORD = re.compile(r"(?<![\w'])[A-Za-z_]\w*")


def load_verilog(path: Path) -> QuantNet:
    """Read a network of ``case`` tables; missing modules are looked for beside the file.

    Parameters
    ----------
    path : Path
        The file of the top module: the one that no other module in this file uses.

    Returns
    -------
    QuantNet
        Verified. Its input ports, one after another and LSB first, are the bits of the data
        inputs of the top in the order they are declared; its output ports likewise. Registers
        are left out: the pipeline is feed-forward and only delays. ``info["verilog"]`` holds
        top, files, data ports, clock, resets with their value in operation, and the number of
        registers on every path.

    Raises
    ------
    CheckpointError
        A file is missing or is no text.
    UnsupportedModel
        Anything else than tables, wires, expressions and feed-forward registers: incomplete
        tables without default, latches, enables, feedback, blocks that read too many bits, missing
        modules, widths that do not match. All problems found are listed with file and line.
    UnsafeVerilog
        A file holds more than a circuit, in parts that the network does not use as well.
    """
    path = Path(path)
    library = Library(path)
    top = _top(library)
    circuit = None
    try:
        linker = Linker(library, top)
        problems = [*library.problems, *linker.problems]
        if not problems:
            circuit, problems = trace_circuit(linker)
    except RecursionError:
        # Where the user has raised the limit of nesting beyond what this process can follow.
        fix = "write expressions and blocks flat"
        why = "expressions or blocks within each other, too deep to follow"
        raise UnsupportedModel("nested too deep", where=str(path), why=why, fix=fix) from None
    if circuit is None:
        left = len(problems) - MOST_PROBLEMS
        more = [Problem("...", f"{left:,} more problems")] if left > 0 else []
        raise UnsupportedModel(
            f"not a network of tables: {len(problems)} problem{'s' * (len(problems) > 1)}",
            where=str(path),
            problems=[*problems[:MOST_PROBLEMS], *more],
        )
    words = tuple(linker.files.values())
    data = [read_plain(file) for file in library.files]
    changes = names_to_change(data, any(file.suffix == ".sv" for file in library.files))
    check_sources(library.files, partial(changed, names=changes), [file.name for file in words])
    return _network(path, top, library, circuit, words, changes)


def _top(library: Library) -> str:
    used: set[str] = set()
    for name in library.first if len(library.first) > 1 else ():
        module = library.modules[name]
        words = _WORD.findall(module.source.text, module.start, module.end)
        used |= set(words) - {name}
    tops = [name for name in library.first if name not in used]
    named = [name for name in tops if name == library.path.stem]
    if len(named or tops) == 1:
        return (named or tops)[0]
    why = f"top modules: {', '.join(tops[:8])}" if tops else "no top module"
    why += f" and {len(tops) - 8} more" if len(tops) > 8 else ""
    raise UnsupportedModel(
        "cannot tell which module is the top",
        where=str(library.path),
        why=why,
        fix="name the file after its top module",
    )


def _network(
    path: Path,
    top: str,
    library: Library,
    circuit: Circuit,
    words: tuple[Path, ...],
    changes: tuple[str, ...],
) -> QuantNet:
    made = LayerMaker(circuit)
    files = library.files
    name = top
    if top.lower() in GENERIC_TOPS:
        name = path.resolve().parent.name or top
    info: dict[str, Any] = {
        "top": top,
        "files": len(files),
        "registers": circuit.registers,
        "digest": files_digest([*files, *words]),
        "verilog": {
            "top": top,
            "files": [f.name for f in files],
            "words": [f.name for f in words],
            "changed": list(changes),
            "idle": _idle_files(library, circuit),
            "inputs": dict(circuit.inputs),
            "outputs": {n: len(s) for n, s in circuit.outputs.items()},
            "clock": circuit.clock,
            "ties": dict(circuit.ties),
            "registers": circuit.registers,
        },
    }
    net = QuantNet(
        name=identifier(name),
        inputs=made.inputs,
        layers=made.layers,
        output_wires=made.output_wires,
        info=info,
    )
    net.verify()
    return net


def _idle_files(library: Library, circuit: Circuit) -> list[str]:
    """Files of one module whose tables reach no output: a proof need not read them."""
    live = circuit.live()
    tables: dict[str, bool] = {}
    for index, cell in enumerate(circuit.cells):
        tables[cell.file] = tables.get(cell.file, False) or index in live
    count = Counter(m.source.path.name for m in library.modules.values())
    return sorted(file for file, used in tables.items() if not used and count[file] == 1)
