"""What a caller holds in memory as a file that a run can begin with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from nnlogic.core.errors import UsageError
from nnlogic.core.names import identifier
from nnlogic.frontend.native import write_quantized
from nnlogic.quant.ir import QuantNet

RECORDED = "recorded"
"""Key of ``info``: rows, and what the model gave for them; see `nnlogic.from_torch`."""


@contextmanager
def as_file(source: Any) -> Iterator[Path]:
    """Give the file that a run is compiled from, for as long as it is needed.

    Parameters
    ----------
    source : path or QuantNet

    Raises
    ------
    UsageError
        Anything else.
    """
    if isinstance(source, str | Path):
        yield Path(source)
        return
    if not isinstance(source, QuantNet):
        kind = f"{type(source).__module__}.{type(source).__qualname__}"
        raise UsageError("nothing that can be compiled", why=f"a {kind}", fix=_way_in(source))
    source.verify()
    info = {key: value for key, value in source.info.items() if key != RECORDED}
    record = source.info.get(RECORDED)
    golden = None
    if record:
        golden = np.array(record["rows"], np.float32), np.array(record["outputs"], np.int64)
    with TemporaryDirectory(prefix="nnlogic-") as folder:
        path = Path(folder, f"{identifier(source.name)}.safetensors")
        write_quantized(path, replace(source, info=info), golden=golden)
        yield path


def _way_in(source: Any) -> str:
    stages = {"TableNet": "tables", "LogicNet": "logic"}
    if getattr(source, "kind", None) in stages:
        return (
            "give the QuantNet it was made from, or the run directory it was read from with "
            f"start_from={stages[source.kind]!r}"
        )
    if any(base.__module__.startswith("torch.nn") for base in type(source).__mro__):
        return "nnlogic.compile(nnlogic.from_torch(module, example_inputs), out)"
    return "a path that nnlogic.load reads, or a QuantNet"
