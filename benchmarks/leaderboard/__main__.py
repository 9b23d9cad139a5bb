"""``python -m benchmarks.leaderboard --peers DIR``: our LUT6 for other people's networks.

One row per file of a peer that lies below DIR, in folders named as their repositories are. Our LUT6
are counted as nodes of the minimized network, encoder, network and output logic apart and in total;
the peer's own figure is what its repository reports beside the file, and often leaves parts out.
Files that no importer reads are rows too, with the reason.
"""

from __future__ import annotations

import argparse
import re
import time
from pathlib import Path

from benchmarks.leaderboard.peers import PEERS, Peer
from benchmarks.page import Page, add_write, is_part
from nnlogic.checks import check
from nnlogic.checks.inputs import first_rung
from nnlogic.checks.verdict import Verdict
from nnlogic.core.errors import NNLogicError
from nnlogic.core.formats import ROLES
from nnlogic.frontend import load
from nnlogic.job.facts import layer_luts
from nnlogic.logic.build import minimize
from nnlogic.tables.build import tabulate

COLUMNS = (
    "family", "file", "inputs", "encoder", "network", "output", "LUT6", "depth", "peer's LUTs",
    "against its file", "logic", "seconds",
)  # fmt: skip
HEAD = f"| {' | '.join(COLUMNS)} |\n|{'|'.join(['---'] * len(COLUMNS))}|"
TIMEOUT = 600.0


def measured(peer: Peer, file: Path, peers: Path, effort: str, jobs: int) -> str:
    """Return the row of a file."""
    start = time.monotonic()
    name = str(file.relative_to(peers / peer.repository))
    try:
        net = load(file, read=peer.read)
        rung = first_rung(net).check(net, file, TIMEOUT)
        against = rung if isinstance(rung, str) else _said(rung())
        tables = tabulate(net, arith="auto")
        logic = minimize(tables, effort=effort, jobs=jobs)
        proof = _said(check(tables, logic))
    except NNLogicError as error:
        empty = [""] * (len(COLUMNS) - 4)
        why = " ".join(f"not compiled: {error.what}".split())
        return _row([peer.family, name, *empty, why, f"{time.monotonic() - start:.0f}"])
    luts = dict.fromkeys(ROLES, 0)
    for number, count in layer_luts(logic).items():
        luts[logic.layers[number].role] += count
    bits = sum(port.format.bits for port in net.inputs)
    return _row(
        [
            peer.family, name, f"{len(net.inputs)} ({bits} bits)",
            *(f"{luts[role]:,}" for role in ("encoder", "network", "output")),
            f"{sum(luts.values()):,}", str(logic.stats()["depth"]),
            peer.published(file), against, proof,
            f"{time.monotonic() - start:.0f}",
        ]
    )  # fmt: skip


def _said(verdict: Verdict) -> str:
    return verdict.how if verdict.equal else f"DIFFERENT, {verdict.where}"


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.leaderboard", description=__doc__.partition("\n\n")[0]
    )
    parser.add_argument(
        "--peers", type=Path, required=True, help="folder of the peers' repositories"
    )
    parser.add_argument("--only", default="", help="files whose path matches this expression")
    parser.add_argument("--effort", choices=("fast", "normal", "high"), default="normal")
    parser.add_argument("--jobs", type=int, default=1, help="processes of the minimization")
    add_write(parser, "leaderboard.md")
    args = parser.parse_args()
    page = Page(parser, args.out, is_part(parser, args, "peers", "jobs"))
    lines = [HEAD]
    print(HEAD)
    for peer in PEERS:
        for file in peer.found(args.peers):
            if not re.search(args.only, str(file.relative_to(args.peers))):
                continue
            lines.append(measured(peer, file, args.peers, args.effort, args.jobs))
            print(lines[-1], flush=True)
            page.so_far("\n".join(lines) + "\n")
    if len(lines) == 1:
        parser.error(f"no file of a peer below {args.peers}: fetch the repositories there")
    text = "\n".join(["# Other people's networks", "", __doc__.partition("\n\n")[2], *lines])
    page.done(text + "\n")


if __name__ == "__main__":
    main()
