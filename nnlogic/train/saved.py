"""The state of a training run on disk."""

from __future__ import annotations

import io
import pickle
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from nnlogic.core.archive import write_bytes
from nnlogic.core.errors import CheckpointError, UsageError


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turn what goes wrong in writing to `folder` into a `UsageError`."""
    try:
        yield
    except OSError as error:
        raise UsageError(
            "cannot write the output",
            where=str(folder),
            why=str(error),
            fix="choose a folder you can write to, on a disk with room",
        ) from error


def save_state(path: Path, identity: str, state: Mapping[str, Any]) -> None:
    """Write the state of a run: tensors and plain values, under names of their own.

    Parameters
    ----------
    path : Path
    identity : str
        Of the run: recipe, seed and data.
    state : mapping
    """
    buffer = io.BytesIO()
    torch.save({"identity": identity, **state}, buffer)
    write_bytes(path, buffer.getvalue())


def load_state(path: Path, identity: str, device: torch.device | str) -> dict[str, Any]:
    """Return what `save_state` wrote; reading it cannot run code.

    Raises
    ------
    CheckpointError
        The file cannot be read.
    UsageError
        It belongs to another run.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
        saved = state.pop("identity")
    except (OSError, EOFError, RuntimeError, KeyError, TypeError, pickle.PickleError) as error:
        raise CheckpointError(
            "the saved state of the run cannot be read",
            where=str(path),
            why=str(error).splitlines()[0],
            fix="delete the folder and train again",
        ) from error
    if saved != identity:
        raise UsageError(
            "cannot resume another run",
            where=str(path),
            why="its recipe, seed or data differ from the ones given now",
            fix="resume with the same ones, or choose another folder",
        )
    return state
