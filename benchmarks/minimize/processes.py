"""Time of `minimize` against the number of processes that solve functions.

python -m benchmarks.minimize.processes [--nodes 200] [--effort fast] [--here 1 2] [--dask 1 2]

Each point runs in a process of its own, with nothing cached.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.minimize.scaling import network
from nnlogic.logic.build import minimize

NAMES = ["solved by", "wall s", "CPU s", "of these, asking", "asking, ms a function", "load"]


def measure(nodes: int, effort: str, here: int, workers: int) -> dict[str, float]:
    """Minimize a network of distinct functions; seconds of all processes and of this one."""
    net = network(nodes, shared=False)
    with _cluster(workers):
        begun, own = time.perf_counter(), _used(resource.RUSAGE_SELF)
        logic = minimize(net, effort=effort, jobs=here, cache_dir=False)
        wall, asking = time.perf_counter() - begun, _used(resource.RUSAGE_SELF) - own
    if here > 1:
        from joblib.externals.loky import get_reusable_executor

        get_reusable_executor().shutdown(wait=True)
    rest = _used(resource.RUSAGE_CHILDREN)
    return {"wall": wall, "asking": asking, "rest": rest, "luts": logic.stats()["luts"]}


def _used(who: int) -> float:
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


@contextmanager
def _cluster(workers: int) -> Iterator[None]:
    if not workers:
        yield
        return
    from distributed import LocalCluster

    from nnlogic.tools.cluster import on_cluster

    options = {"threads_per_worker": 1, "dashboard_address": None}
    with LocalCluster(n_workers=workers, **options) as made, on_cluster(made.scheduler_address):
        yield


def line(nodes: int, effort: str, here: int, workers: int) -> str:
    """Run one point in a fresh process and return its row of the table."""
    point = [str(n) for n in (nodes, effort, here, workers)]
    command = [sys.executable, "-m", "benchmarks.minimize.processes", "--point", *point]
    load = os.getloadavg()[0]
    done = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    what = f"{workers} workers of Dask" if workers else f"{here} processes (`--jobs {here}`)"
    # Alone, the process that asks is the one that solves.
    alone = not workers and here == 1
    asking = "-" if alone else f"{done['asking']:.1f}"
    each = "-" if alone else f"{1e3 * done['asking'] / nodes:.1f}"
    total = done["asking"] + done["rest"]
    return f"| {what} | {done['wall']:.1f} | {total:.1f} | {asking} | {each} | {load:.1f} |"


def main() -> None:
    """Print the curve point by point."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.minimize.processes",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--nodes", type=int, default=200)
    parser.add_argument("--effort", default="fast")
    parser.add_argument("--here", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--dask", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--point", nargs=4, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.point:
        nodes, effort, here, workers = args.point
        print(json.dumps(measure(int(nodes), effort, int(here), int(workers))))
        return
    print("| " + " | ".join(NAMES) + " |\n|" + " --- |" * len(NAMES), flush=True)
    for here in args.here:
        print(line(args.nodes, args.effort, here, 0), flush=True)
    for workers in args.dask:
        print(line(args.nodes, args.effort, 1, workers), flush=True)


if __name__ == "__main__":
    main()
