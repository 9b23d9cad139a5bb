"""``python -m benchmarks.leaderboard --peers DIR``: our LUT6 for other people's networks.

One row per file of a peer that lies below DIR, in folders named as their repositories are. Our LUT6
are counted as nodes of the minimized network, encoder, network and output logic apart and in total.
The peer's figure is what its repository or paper states, as Vivado counted it, or where it states
none what yosys makes of the Verilog that its own tool wrote (`proc -norom; synth_xilinx -family xc7
-flatten -nowidelut`, the better of with and without `-abc9`; LUTs of one input left out). It often
leaves parts out; "ours, same function" leaves off the same: an encoder before the inputs, an argmax
after the outputs. Files that no importer reads are rows too, with the reason.

*Clocks a row*: what the peer's hardware takes, where that is more than a row every clock as ours
takes it; the next column compares with as many copies of it as take one every clock. For BTHOWeN
that is the number of hash functions, times the turns that its hash units need, which its report of
utilization lists.

*CARRY4*: cells of carry chains beside the peer's LUTs, which the comparison does not count; each
has four multiplexers and four exclusive ORs. A question mark where the peer publishes LUTs only.
Ours adds with LUTs and has none.

*ecp5 MHz* (`--fmax`): yosys and nextpnr for LFE5U-25F, of the peer's Verilog and of ours for the
same function, minimized for LUTs of four inputs, in the same harness and with as many ranks of
registers: where the peer's Verilog has none, one behind the outputs of both.

Effort *fast*, *normal* or *high* minimizes neuron by neuron, for LUTs and depth; *area* for LUTs
alone, *network* then also across the whole network. Of the settings that were tried, a row shows
the one with fewest LUTs. Checks: 1 file against QuantNet, 2 QuantNet against tables, 3 tables
against logic, 4 logic before against logic after the optimization across the network.

Accuracy is that of the file on rows that are at hand, of the data set's own test part where it is
known; n says how many. Trees and networks of torchlogix and TreeLUT were trained by `python -m
benchmarks.leaderboard.train`, with the peers' own programs. Leaves of LightGBM, xgboost and conifer
are rounded to 4 bits of the widest tree, and accuracies are with that. Why a row is above the aim
is what is known of the peer's hardware, not a measure.

Files that were not run take minutes to hours of a core; what `nnlogic inspect` says of their size
stands beside them. What is predicted is no measure.

What is measured is kept in files of `--results`, one per row, and not measured again until the
file, the options of its reading or the effort change; what failed is tried again.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from pathlib import Path
from typing import Any

from benchmarks.leaderboard.fmax import TARGET, clocks
from benchmarks.leaderboard.measure import AIMS, measured, same_function, setting
from benchmarks.leaderboard.own import FIRST, FLOWS, SYNTH, own_luts
from benchmarks.leaderboard.page import HEAD, Entry, summary, table
from benchmarks.leaderboard.peers import PEERS, Peer
from benchmarks.page import Page, add_write, is_part
from nnlogic.core.archive import write_bytes
from nnlogic.core.errors import NNLogicError
from nnlogic.frontend.format import files_digest

EFFORTS = ("fast", "normal", "high")
SETTINGS = tuple(setting(effort, aim) for aim in AIMS for effort in EFFORTS)
RESULTS = Path("build", "leaderboard")


class Results:
    """What was measured before, a file per row.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, name: str, key: dict[str, Any]) -> dict[str, Any] | None:
        """Return what was measured under a name, if it was of the same things."""
        path = self._path(name)
        found = json.loads(path.read_text()) if path.is_file() else {}
        return found.get("found") if found.get("key") == key else None

    def put(self, name: str, key: dict[str, Any], found: dict[str, Any]) -> None:
        """Keep it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        write_bytes(self._path(name), json.dumps({"key": key, "found": found}, indent=1).encode())

    def _path(self, name: str) -> Path:
        return self.folder / f"{re.sub(r'[^A-Za-z0-9._-]+', '-', name)}.json"


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.leaderboard", description=__doc__.partition("\n\n")[0]
    )
    parser.add_argument(
        "--peers", type=Path, required=True, help="folder of the peers' repositories"
    )
    parser.add_argument("--data", type=Path, help="folder of data sets, for accuracies")
    parser.add_argument("--only", default="", help="files whose path matches this expression")
    parser.add_argument("--effort", choices=EFFORTS, default="normal")
    parser.add_argument(
        "--aim", choices=AIMS, default=AIMS[0],
        help="what neurons are minimized for; network: area, then across the whole network",
    )  # fmt: skip
    parser.add_argument(
        "--fmax", action="store_true",
        help="also place and route for ecp5, the peer's Verilog and ours, where there is any",
    )  # fmt: skip
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of what is measured")
    parser.add_argument(
        "--measured", action="store_true", help="only rows that were measured before, at any effort"
    )
    add_write(parser, "leaderboard.md")
    args = parser.parse_args()
    free = ("peers", "data", "results", "measured", "fmax")
    page = Page(parser, args.out, is_part(parser, args, *free))
    results = Results(args.results)
    entries: list[Entry] = []
    left: list[str] = []
    print(HEAD)
    for peer in PEERS:
        for file in peer.found(args.peers):
            if not re.search(args.only, str(file.relative_to(args.peers))):
                continue
            entry = _entry(peer, file, args, results)
            if entry is None:
                name, size = file.relative_to(args.peers / peer.repository), peer.size(file)
                left.append(f"{peer.family} `{name}`" + (f" ({size})" if size else ""))
                continue
            entries.append(entry)
            print(entry.line(), flush=True)
            page.so_far(table(entries) + "\n")
    if not entries:
        parser.error(f"no file of a peer below {args.peers}: fetch the repositories there")
    parts = ["# Other people's networks", __doc__.partition("\n\n")[2].strip(), summary(entries)]
    parts += [f"Not run: {'; '.join(left)}."] if left else []
    page.done("\n\n".join([*parts, table(entries)]) + "\n")


def _entry(peer: Peer, file: Path, args: argparse.Namespace, results: Results) -> Entry | None:
    name = str(file.relative_to(args.peers / peer.repository))
    row = f"{peer.repository}-{name}"
    key: dict[str, Any] = {"file": files_digest([file]), "read": dict(peer.read)}
    found = [_best(results, row, key)] if args.measured else []
    if not args.measured:
        name_of = setting(args.effort, args.aim)
        before = results.get(f"{row}-{name_of}", key)
        if before is None or "error" in before:
            before = measured(peer, file, args.data, args.effort, args.aim)
            before["effort"] = name_of
            results.put(f"{row}-{name_of}", key, before)
        found = [_best(results, row, key)]
    if found[0] is None:
        return None
    own = _own(peer, file, row, results, args.measured)
    speed = _speed(peer, file, row, results, known=not args.fmax)
    tried = {
        name: int(_luts(measure)) for name, measure in _tried(results, row, key).items()
        if "error" not in measure
    }  # fmt: skip
    return Entry(peer.family, name, found[0], own, peer.why, peer.clocks(file), speed, tried)


def _best(results: Results, row: str, key: dict[str, Any]) -> dict[str, Any] | None:
    """Return the measure with fewest LUTs of all settings that were tried."""
    return min(_tried(results, row, key).values(), default=None, key=_luts)


def _tried(results: Results, row: str, key: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return what was measured of a row, by setting."""
    return {name: found for name in SETTINGS if (found := results.get(f"{row}-{name}", key))}


def _luts(found: dict[str, Any]) -> float:
    part = found.get("same") or found.get("whole")
    return float(part["total"]) if part else float("inf")


def _own(peer: Peer, file: Path, row: str, results: Results, known: bool) -> dict[str, Any]:
    """Return LUTs of the peer's own flow, if it has any."""
    stated = peer.published(file)
    if stated:
        found = {"published": int(stated), "source": peer.source}
        return {**found, "carries": peer.carry_cells(file)}
    sources = peer.sources(file)
    if not any(path.stem == peer.top for path in sources):
        return {}
    key = {"verilog": files_digest(sources), "top": peer.top, "flow": [*FIRST, SYNTH, *FLOWS]}
    found = results.get(f"{row}-own", key)
    if found is None and not known:
        start = time.monotonic()
        try:
            own = own_luts(sources, peer.top)
            found = {"luts": own.luts, "carries": own.carries, "registers": own.registers}
        except NNLogicError as error:
            found = {"error": " ".join(error.what.split())}
        found["seconds"] = round(time.monotonic() - start)
        results.put(f"{row}-own", key, found)
    return found or {}


def _speed(peer: Peer, file: Path, row: str, results: Results, *, known: bool) -> dict[str, Any]:
    """Return the clock of the peer's Verilog, and of ours, where there is any."""
    sources, registers = peer.sources(file), peer.registers(file)
    if registers is None:
        return {}
    key = {"verilog": files_digest(sources), "file": files_digest([file]), "target": TARGET}
    found = results.get(f"{row}-fmax", key)
    if found is None and not known:
        start = time.monotonic()
        try:
            net = same_function(peer, file)
            found = dict(clocks(sources, peer.top, registers, net))
        except NNLogicError as error:
            found = {"error": " ".join(error.what.split())}
        found["seconds"] = round(time.monotonic() - start)
        results.put(f"{row}-fmax", key, found)
    return found or {}


if __name__ == "__main__":
    main()
