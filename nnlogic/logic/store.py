"""LogicNet to and from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.archive import frozen, read_archive, write_archive
from nnlogic.core.errors import CheckpointError
from nnlogic.core.formats import (
    layers_from_meta,
    layers_to_meta,
    ports_from_meta,
    ports_to_meta,
)
from nnlogic.logic.ir import LogicNet

VERSION = 1


def save_logic(net: LogicNet, path: Path) -> None:
    """Write a LogicNet."""
    meta, arrays = logic_to_parts(net)
    write_archive(path, LogicNet.kind, VERSION, meta, arrays)


def load_logic(path: Path) -> LogicNet:
    """Read a LogicNet and verify it."""
    _, meta, arrays = read_archive(path, LogicNet.kind, (VERSION,))
    try:
        net = logic_from_parts(meta, arrays)
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            "LogicNet file is incomplete", where=str(path), why=repr(error)
        ) from error
    net.verify()
    return net


def logic_to_parts(net: LogicNet) -> tuple[dict[str, Any], dict[str, NDArray]]:
    """Return JSON metadata and arrays that describe `net`."""
    meta = {
        "name": net.name,
        "k": net.k,
        "inputs": ports_to_meta(net.inputs),
        "outputs": ports_to_meta(net.outputs),
        "origins": list(net.origins),
        "layers": layers_to_meta(net.layers),
    }
    arrays: dict[str, NDArray] = {
        "fanins": net.fanins,
        "tables": net.tables,
        "output_signals": np.array(net.output_signals, dtype=np.int64),
        "node_layers": net.node_layers,
        "cuts": net.cuts,
    }
    return meta, arrays


def logic_from_parts(meta: dict[str, Any], arrays: dict[str, NDArray]) -> LogicNet:
    """Inverse of `logic_to_parts`."""
    return LogicNet(
        name=meta["name"],
        k=meta["k"],
        inputs=ports_from_meta(meta["inputs"]),
        outputs=ports_from_meta(meta["outputs"]),
        fanins=frozen(arrays["fanins"], np.int32),
        tables=frozen(arrays["tables"], np.uint64),
        output_signals=tuple(arrays["output_signals"].tolist()),
        origins=tuple(meta["origins"]),
        node_layers=frozen(arrays["node_layers"], np.int32),
        layers=layers_from_meta(meta["layers"]),
        cuts=frozen(arrays["cuts"], np.int32),
    )
