"""Make networks, compile them, and keep what was measured before and after."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch

import nnlogic
from benchmarks.surrogate.networks import EPOCHS, part_of, recipe_of
from nnlogic import data
from nnlogic.core.progress import SILENT
from nnlogic.design.build import BALANCED, build
from nnlogic.predict.whole.features import features
from nnlogic.quant.ir import QuantNet
from nnlogic.tables.ir import TableNet
from nnlogic.tables.passes import simplify
from nnlogic.train.layered import LayeredTraining

DATASETS = ("jets", "jets", "digits", "nid")
TARGETS = ("luts", "ffs", "depth", "segment", "seconds")
ZOO = Path(__file__).parents[2] / "zoo"
STREAM, MOST_BLOCKS = "stream", 1500


@dataclass(frozen=True)
class Sample:
    """One network: what was measured of its tables, as it started and as compiled, and targets."""

    number: int
    kind: str
    start: np.ndarray
    found: np.ndarray
    targets: np.ndarray


@cache
def rows_of(name: str, folder: Path) -> data.Dataset:
    """Return a data set."""
    return data.load(name, folder)


def tables_of(net: QuantNet) -> TableNet:
    """Return the tables of a network; neurons too wide for one as arithmetic."""
    return nnlogic.tabulate(net, arith="auto")


def compiled(tables: TableNet, effort: str = "fast") -> np.ndarray:
    """Return the targets: what ``nnlogic compile --effort fast`` makes of tables."""
    start = _cpu()
    simple, _ = simplify(tables, effort=effort, timeout=60.0, progress=SILENT)
    logic = nnlogic.minimize(simple, effort=effort, jobs=1, cache_dir=False)
    design = build(logic, schedule=BALANCED)
    seconds = _cpu() - start
    stats = design.stats()
    depth = max((int(logic.levels[s]) for s in logic.output_signals), default=0)
    segment = max(design.segment_depths(), default=0)
    return np.array([logic.stats()["luts"], stats["registers"], depth, segment, seconds])


def sample(number: int, folder: Path) -> Sample:
    """Make, train briefly, and compile network `number`."""
    rng = np.random.default_rng((17, number))
    whole = rows_of(DATASETS[int(rng.integers(len(DATASETS)))], folder)
    dataset = part_of(whole, rng)
    recipe = recipe_of(number, dataset, rng)
    torch.manual_seed(number)
    run = LayeredTraining(recipe, dataset, torch.device("cpu"))
    run.model.anneal(1.0)
    start = features(tables_of(run.model.eval().quantnet()))
    if EPOCHS[number % len(EPOCHS)]:
        run.model.anneal(0.0)
        run.model.train()
        run.prepare(None, SILENT)
        while not run.finished:
            run.advance()
        run.finish(SILENT)
    tables = tables_of(run.model.eval().quantnet())
    kind = "+".join(dict.fromkeys(spec.family for spec in recipe.layers))
    return Sample(number, kind, start, features(tables), compiled(tables))


def of_zoo() -> Iterator[Sample]:
    """Compile the networks of the zoo, those on windows and the largest left out."""
    for number, path in enumerate(sorted(ZOO.rglob("*.safetensors"))):
        if STREAM not in path.stem:
            tables = tables_of(nnlogic.load(path))
            if len(tables.blocks) <= MOST_BLOCKS:
                found = features(tables)
                yield Sample(number, path.stem, found, found, compiled(tables))


def _cpu() -> float:
    """Return the CPU seconds of this process and of tools that have ended."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + spent.ru_utime + spent.ru_stime
