"""The graph of a module of PyTorch, as torch.export traces it."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram

from nnlogic.core.errors import UnsupportedModel


def traced(module: nn.Module, example: Tensor, label: str) -> ExportedProgram:
    """Return the program of a module's ``forward``.

    Parameters
    ----------
    module : Module
    example : tensor
        What it takes.
    label : str
        For messages.

    Raises
    ------
    UnsupportedModel
        It cannot be traced.
    """
    try:
        return torch.export.export(module, (example,))
    except Exception as error:  # forward is the user's code, and may raise anything
        raise UnsupportedModel(
            "torch.export cannot trace the module", where=label,
            why=f"{type(error).__name__}: {str(error).splitlines()[0][:300] if str(error) else ''}",
            fix="a forward without branches on the values of tensors; try "
            "torch.export.export(module.eval(), (example,)) by itself",
        ) from error  # fmt: skip
