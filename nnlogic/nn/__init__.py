"""Torch modules whose neurons can be enumerated."""

from nnlogic.nn.checkpoint import load_network, save_checkpoint
from nnlogic.nn.network import LogicLayer, Network
from nnlogic.nn.quantizers import (
    PACT,
    Activation,
    InputQuantizer,
    Sign,
    SignedUniform,
    fit_thresholds,
)
from nnlogic.nn.sparse import SparseLinear

__all__ = [
    "PACT",
    "Activation",
    "InputQuantizer",
    "LogicLayer",
    "Network",
    "Sign",
    "SignedUniform",
    "SparseLinear",
    "fit_thresholds",
    "load_network",
    "save_checkpoint",
]
