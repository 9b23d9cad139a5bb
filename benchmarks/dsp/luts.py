"""What the same networks take as LUTs, for the columns beside the engines.

python -m benchmarks.dsp.luts [--peers DIR] [--only NAME ...] [--effort fast]

Minimizes every network of the table that is not in the zoo (whose page has its counts), proves the
result equal, and keeps the counts in ``luts.json`` beside this file.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import nnlogic
from benchmarks.dsp.cases import CHECKPOINT, LENET, PUBLISHED_LUTS, ROOT, lenet_layer, vgg
from benchmarks.minimize.parts import Netlist, Stopwatch, bit_ports, check_blif
from nnlogic.backends.dsp.model.ir import OpGraph
from nnlogic.core.errors import ToolTimeout
from nnlogic.logic.cone import Cone, ConeBuilder
from nnlogic.logic.formats import encode, parse
from nnlogic.logic.portfolio import SolveOptions
from nnlogic.logic.rewrite import cone_of
from nnlogic.logic.specified import minimize_specification

KEPT = Path(__file__).with_name("luts.json")
ZOO_PAGE = ROOT / "docs" / "benchmarks" / "zoo.md"
LEVELS = 8
"""LUT6 levels between registers at 250 MHz, by the delay model of target xcup."""
_ROW = re.compile(r"^\| (\w+) \|")


@dataclass(frozen=True)
class Luts:
    """A network in LUT6.

    Attributes
    ----------
    luts, depth : int
        LUT6 of two or more inputs, and levels.
    how : str
        Which command counted, and how it is known to be equal.
    seconds : float
        Processor seconds of the minimization; 0 where another page has them.
    """

    luts: int
    depth: int
    how: str
    seconds: float = 0.0

    @property
    def stages(self) -> int:
        """Clocks from input to output with a register after every `LEVELS` levels."""
        return max(1, -(-self.depth // LEVELS))


def known() -> dict[str, Luts]:
    """Return the counts of `KEPT` and of the zoo's page, by name of the table's row."""
    found = {name: Luts(**row) for name, row in json.loads(KEPT.read_text()).items()}
    head: list[str] = []
    for line in ZOO_PAGE.read_text().splitlines():
        cells = [cell.strip(" *") for cell in line.strip("|").split("|")]
        if cells[0] == "network":
            head = cells
        elif len(cells) == len(head) and _ROW.match(line):
            row = dict(zip(head, cells, strict=True))
            if not {"LUT6", "depth", "proofs"} <= set(row):
                continue
            proved = "proved" if "3 proved" in row["proofs"] else row["proofs"]
            count = int(row["LUT6"].replace(",", ""))
            found[f"zoo-{cells[0]}"] = Luts(count, int(row["depth"]), f"benchmarks.zoo, {proved}")
    return found


def cone_of_graph(graph: OpGraph) -> Cone:
    """Return an operation graph as a network of two-input nodes."""
    builder = ConeBuilder(graph.n_inputs)
    at = list(range(graph.n_inputs))
    for op, x, z in zip(graph.op.tolist(), graph.x.tolist(), graph.z.tolist(), strict=True):
        at.append(builder.lut((at[x], at[z]), op))
    return builder.cone([at[s] for s in graph.output_signals.tolist()])


def measured(cone: Cone, name: str, effort: str) -> Luts:
    """Minimize a network for area and prove the result."""
    x, y = bit_ports("x", cone.n_inputs), bit_ports("y", len(cone.outputs))
    names = [p.name for p in x], [p.name for p in y]
    blif = encode(".blif", name, *names, cone).decode()
    with Stopwatch() as watch:
        found = minimize_specification(
            parse(blif.encode(), name, ".blif"), SolveOptions(6, effort, "area")
        ).cone
    return _luts(found, name, names, blif, effort, watch.seconds)


def _luts(
    found: Cone, name: str, names: tuple[list[str], list[str]], blif: str, effort: str, took: float
) -> Luts:
    try:
        how = check_blif(encode(".blif", name, *names, found).decode(), Netlist(name, blif))
    except ToolTimeout:
        how = "not proved in 300 s"
    return Luts(found.luts, found.depth, f"effort {effort}, {how}", round(took, 1))


def jets(effort: str) -> Luts:
    """The bundled checkpoint, its layers kept."""
    tables = nnlogic.tabulate(nnlogic.load(CHECKPOINT))
    with Stopwatch() as watch:
        net = nnlogic.minimize(tables, effort=effort, objective="area", jobs=1, cache_dir=False)
    stats = net.stats()
    how = "proved" if nnlogic.check(tables, net).equal else "**wrong**"
    return Luts(stats["luts"], stats["depth"], f"effort {effort}, {how}", round(watch.seconds, 1))


def cases(peers: Path | None, effort: str) -> Iterator[tuple[str, Callable[[], Luts]]]:
    """Yield name and measurement of each network whose file is there."""
    yield "jets", lambda: jets(effort)
    for index, layer in enumerate(LENET):
        name = f"lenet-{layer}"
        yield name, lambda i=index, n=name: measured(cone_of_graph(lenet_layer(i)), n, effort)  # type: ignore[misc]
    for layer in PUBLISHED_LUTS:
        path = peers / "vgg" / f"kernel_{layer}_wrapper.v" if peers else None
        if path and path.exists():
            name = f"vgg-conv{layer}"
            yield name, lambda p=path, n=name: measured(cone_of(vgg(p)), n, effort)  # type: ignore[misc]


def main() -> None:
    """Measure, and keep each count where asked, as soon as it is there."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.dsp.luts",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--peers", type=Path, help="directory of vgg/kernel_*_wrapper.v")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="rows whose name starts so")
    parser.add_argument("--effort", default="fast", choices=("fast", "normal", "high"))
    parser.add_argument("--keep", type=Path, metavar="FILE", help="also put the counts in a file")
    args = parser.parse_args()
    for name, measure in cases(args.peers, args.effort):
        if not name.startswith(tuple(args.only or [""])):
            continue
        found = asdict(measure())
        print(name, found, flush=True)
        if args.keep:
            kept = json.loads(args.keep.read_text()) if args.keep.exists() else {}
            args.keep.write_text(json.dumps({**kept, name: found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
