"""MacNet to and from files."""

from __future__ import annotations

from dataclasses import astuple, fields
from pathlib import Path
from typing import Any

import numpy as np

from nnlogic.backends.mac.model.ir import AddSlice, Chain, Field, MacNet, MacSlice
from nnlogic.core.archive import read_archive, write_archive
from nnlogic.core.errors import CheckpointError
from nnlogic.core.formats import ports_from_meta, ports_to_meta

VERSION = 1


def save_mac(mac: MacNet, path: Path) -> None:
    """Write a MacNet."""
    meta = {
        "name": mac.name,
        "kind": mac.slice_kind,
        "inputs": ports_to_meta(mac.inputs),
        "outputs": ports_to_meta(mac.outputs),
        "latency": mac.latency,
        "chains": [astuple(chain) for chain in mac.chains],
    }
    # Numbers are in the header; a file of tensors has at least one.
    arrays = {"slices": np.array([len(chain.slices) for chain in mac.chains], np.int32)}
    write_archive(path, MacNet.kind, VERSION, meta, arrays)


def load_mac(path: Path) -> MacNet:
    """Read a MacNet and verify it; CheckpointError on a bad file, IRError on a bad net."""
    _, meta, _ = read_archive(path, MacNet.kind, (VERSION,))
    try:
        mac = MacNet(
            str(meta["name"]),
            str(meta["kind"]),
            ports_from_meta(meta["inputs"]),
            ports_from_meta(meta["outputs"]),
            tuple(
                Chain(
                    tuple(_slice(s) for s in slices),
                    int(constant),
                    tuple(Field(*f) for f in fields),
                )
                for slices, constant, fields in meta["chains"]
            ),
            int(meta["latency"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            "MacNet file is incomplete", where=str(path), why=repr(error)
        ) from error
    mac.verify()
    return mac


def _slice(row: list[Any]) -> MacSlice | AddSlice:
    if len(row) == len(fields(MacSlice)):
        return MacSlice(*row)
    ab, c, *rest = row
    return AddSlice(tuple(ab), tuple(c), *rest)
