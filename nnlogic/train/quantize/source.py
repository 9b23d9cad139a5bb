"""Where float networks come from: modules in memory, and files of `torch.export`."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from nnlogic.core.errors import UnsupportedModel, UsageError
from nnlogic.core.names import identifier
from nnlogic.core.stages import kind_of
from nnlogic.frontend.graph.trace import traced
from nnlogic.frontend.pt2.archive import read_graph
from nnlogic.frontend.pt2.perceptron import FloatLayer, perceptron_of

if TYPE_CHECKING:
    from torch import nn

PROBED = 64
CLOSE = 1e-3


def float_layers(
    module: nn.Module | Path | str, rows: NDArray[np.float32], name: str | None
) -> tuple[str, list[FloatLayer]]:
    """Return the name of a float network, and its layers; one score becomes two.

    Parameters
    ----------
    module : torch.nn.Module or path
    rows : float32 array, shape (rows, features)
    name : str, optional

    Raises
    ------
    UnsupportedModel, CheckpointError
        It is no chain of linear layers, or the file cannot be read.
    UsageError
        Neither a module nor a path.
    """
    if isinstance(module, str | Path):
        label, layers = identifier(name or Path(module).stem), _of_file(Path(module))
    elif isinstance(module, torch.nn.Module):
        label, layers = identifier(name or type(module).__name__), _of_module(module, rows)
    else:
        raise UsageError(
            "no float network", why=f"got {kind_of(module)}",
            fix="a torch.nn.Module, or the path of a .pt2 file",
        )  # fmt: skip
    features = layers[0].weight.shape[1]
    if features != rows.shape[1]:
        raise UsageError(
            "rows do not fit the network", where=label,
            why=f"{rows.shape[1]} columns, the network reads {features}",
        )  # fmt: skip
    last = layers[-1]
    if len(last.weight) == 1:
        # The class is whether the score is above zero.
        both = torch.tensor([[-0.5], [0.5]], dtype=torch.float64)
        layers[-1] = FloatLayer(both @ last.weight, (both @ last.bias[:, None])[:, 0])
    return label, layers


def _of_file(path: Path) -> list[FloatLayer]:
    return perceptron_of(read_graph(path), str(path))


def _of_module(module: nn.Module, rows: NDArray[np.float32]) -> list[FloatLayer]:
    label = type(module).__name__
    parameter = next(module.parameters(), None)
    dtype = torch.float32 if parameter is None else parameter.dtype
    example = torch.from_numpy(rows[: max(2, min(PROBED, len(rows)))]).to(dtype)
    training = module.training
    module.eval()
    try:
        wanted = _outputs(module, example, label)
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            # torch warns of its own deprecations while it traces.
            warnings.simplefilter("ignore")
            path = Path(folder, f"{label}.pt2")
            torch.export.save(traced(module, example, label).run_decompositions({}), path)
            layers = perceptron_of(read_graph(path), label)
    finally:
        module.train(training)
    found = example.double()
    for layer in layers:
        found = layer(found)
    _compare(found, wanted, label)
    return layers


@torch.no_grad()
def _outputs(module: nn.Module, example: torch.Tensor, label: str) -> torch.Tensor:
    try:
        return module(example).reshape(len(example), -1).double()
    except Exception as error:  # forward is the user's code, and may raise anything
        raise UsageError(
            "the module does not take these rows", where=label,
            why=f"{example.shape[1]} columns of {example.dtype}: "
            f"{str(error).splitlines()[0][:200] if str(error) else type(error).__name__}",
            fix="rows of shape (rows, features), as the module takes them",
        ) from error  # fmt: skip


def _compare(found: torch.Tensor, wanted: torch.Tensor, label: str) -> None:
    """Refuse where the layers that were read do not give the classes of the module."""
    if wanted.shape == found.shape and wanted.shape[1] > 1:
        same = found.argmax(1) == wanted.argmax(1)
        # Softmax is left out: only the order of scores is compared, where it is clear.
        two = found.topk(2, 1).values
        clear = two[:, 0] - two[:, 1] > CLOSE * found.abs().amax().clamp_min(1e-9)
        if bool((same | ~clear).all()):
            return
    elif wanted.shape == found.shape and bool(
        ((found > 0) == (wanted > 0)).logical_or(found.abs() < CLOSE).all()
    ):
        return
    raise UnsupportedModel(
        "what was read is not what the module does", where=label,
        why=f"outputs of shape {tuple(wanted.shape)}, read {tuple(found.shape)}, and they differ",
        fix="give the .pt2 of the module, and report this",
    )  # fmt: skip
