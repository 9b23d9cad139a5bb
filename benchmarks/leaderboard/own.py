"""What a peer's own Verilog costs in the flow that ours takes."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nnlogic.tools.find import find
from nnlogic.tools.run import run_tool

SYNTH = (
    "synth_xilinx -family xc7 -flatten -noiopad -noclkbuf -nosrl -nowidelut -nobram -nolutram "
    "-nodsp"
)
FIRST = ("hierarchy -check -top {top}", "setattr -unset rom_style w:*", "proc -norom")
"""Before that: tables stay logic, which is better than what becomes of them as memories."""
FLOWS = ("", " -abc9")
TIMEOUT = 1800.0
STAT = "stat.json"


@dataclass(frozen=True)
class Own:
    """Cells of a netlist.

    Attributes
    ----------
    luts : int
        Of two or more inputs, as ours are counted.
    carries : int
        CARRY4, each of them four multiplexers and four gates that a LUT would have to be.
    registers : int
    """

    luts: int
    carries: int
    registers: int


def own_luts(files: Sequence[Path], top: str) -> Own:
    """Return what yosys makes of Verilog: the smaller of its two mappers' results.

    Parameters
    ----------
    files : sequence of Path
    top : str
        Name of the module.

    Raises
    ------
    ToolFailed, ToolNotFound, ToolTimeout
    """
    found = [_counted(files, top, SYNTH + flow) for flow in FLOWS]
    return min(found, key=lambda own: (own.luts + 4 * own.carries, own.luts))


def read_lines(files: Sequence[Path], folder: Path) -> list[str]:
    """Put links to Verilog files into a folder, and return the lines of yosys that read them."""
    places = [folder / f"in{i}{file.suffix}" for i, file in enumerate(files)]
    for place, file in zip(places, files, strict=True):
        place.symlink_to(file.resolve())
    folders = sorted({str(file.parent.resolve()) for file in files})
    within = " ".join(f"-I{one}" for one in folders if " " not in one)
    return [f"read_verilog -sv {within} {place.name}" for place in places]


def _counted(files: Sequence[Path], top: str, command: str) -> Own:
    with tempfile.TemporaryDirectory(prefix="nnlogic-own-") as name:
        folder = Path(name)
        script = [
            *read_lines(files, folder),
            *(line.format(top=top) for line in FIRST),
            command,
            f"tee -q -o {STAT} stat -json",
        ]
        (folder / "run.ys").write_text("\n".join([*script, ""]))
        run_tool(find("yosys"), ["run.ys"], cwd=folder, timeout=TIMEOUT, outputs=[folder / STAT])
        cells = json.loads((folder / STAT).read_text())["design"]["num_cells_by_type"]
    return Own(
        sum(cells.get(f"LUT{n}", 0) for n in range(2, 7)),
        cells.get("CARRY4", 0),
        sum(count for kind, count in cells.items() if kind.startswith("FD")),
    )
