"""What a caller holds in memory as what a run can begin with: a file, or a run's first stages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from nnlogic import __version__
from nnlogic.core.errors import UsageError
from nnlogic.core.names import identifier
from nnlogic.core.stages import way_in
from nnlogic.design.ir import HardwareDesign
from nnlogic.frontend.native import write_quantized
from nnlogic.job.directory import FOLDERS, close_run, ir_path
from nnlogic.logic.ir import LogicNet
from nnlogic.logic.lift import tabled
from nnlogic.quant.ir import QuantNet
from nnlogic.report.model import Report
from nnlogic.tables.ir import TableNet
from nnlogic.tables.lift import lift

RECORDED = "recorded"
"""Key of ``info``: rows, and what the model gave for them; see `nnlogic.from_torch`."""


@dataclass(frozen=True)
class Given:
    """What a run begins with.

    Attributes
    ----------
    network : Path
        A file that `nnlogic.load` reads, or a run directory.
    stages : Path, optional
        A run directory with the stages that were given, for backends that take them over.
    start : str
        The first stage that `stages` lacks.
    widest : int
        Inputs of the widest node that was given; 0 for stages before logic.
    """

    network: Path
    stages: Path | None = None
    start: str = ""
    widest: int = 0


@contextmanager
def as_file(source: Any) -> Iterator[Given]:
    """Give the files that a run is compiled from, for as long as they are needed.

    Parameters
    ----------
    source : path, QuantNet, TableNet, LogicNet or HardwareDesign
        Of tables and logic the network is what they compute; of a design its logic is taken.

    Raises
    ------
    UsageError
        Anything else.
    """
    if isinstance(source, str | Path):
        yield Given(Path(source))
        return
    if not isinstance(source, QuantNet | TableNet | LogicNet | HardwareDesign):
        kind = f"{type(source).__module__}.{type(source).__qualname__}"
        raise UsageError("nothing that can be compiled", why=f"a {kind}", fix=way_in(source))
    source.verify()
    with TemporaryDirectory(prefix="nnlogic-") as name:
        folder = Path(name)
        if isinstance(source, QuantNet):
            yield Given(_written(source, folder))
            return
        logic = source.logic if isinstance(source, HardwareDesign) else source
        net, tables = lift(tabled(logic) if isinstance(logic, LogicNet) else logic)
        run = folder / identifier(net.name)
        for part in FOLDERS:
            (run / part).mkdir(parents=True)
        net.save(ir_path(run, "quant"))
        tables.save(ir_path(run, "tables"))
        start, widest = "logic", 0
        if isinstance(logic, LogicNet):
            # Signals of the tables are those of the logic, by number.
            own = np.arange(logic.n_inputs + logic.n_nodes, dtype=np.int32)
            replace(logic, cuts=own).save(ir_path(run, "logic"))
            start, widest = "design", int(logic.fan_in_counts.max(initial=0))
        report = Report(name=identifier(net.name), version=__version__, mode="exact")
        close_run(run, report.replace(status="stopped"))
        yield Given(_written(net, folder), run, start, widest)


def _written(net: QuantNet, folder: Path) -> Path:
    info = {key: value for key, value in net.info.items() if key != RECORDED}
    record = net.info.get(RECORDED)
    golden = None
    if record:
        golden = np.array(record["rows"], np.float32), np.array(record["outputs"], np.int64)
    path = folder / f"{identifier(net.name)}.safetensors"
    write_quantized(path, replace(net, info=info), golden=golden)
    return path
