"""Torch modules whose neurons can be enumerated."""

from nnlogic.nn.checkpoint import load_network, save_checkpoint
from nnlogic.nn.encoders import allocate_bits
from nnlogic.nn.network import LogicLayer, Network
from nnlogic.nn.quantizers import (
    PACT,
    QFX,
    Activation,
    Codebook,
    InputQuantizer,
    ReBNet,
    Sign,
    SignedUniform,
    fit_thresholds,
)
from nnlogic.nn.sparse import SparseLinear
from nnlogic.nn.spec import FamilySpec
from nnlogic.nn.stack import Stack

__all__ = [
    "PACT",
    "QFX",
    "Activation",
    "Codebook",
    "FamilySpec",
    "InputQuantizer",
    "LogicLayer",
    "Network",
    "ReBNet",
    "Sign",
    "SignedUniform",
    "SparseLinear",
    "Stack",
    "allocate_bits",
    "fit_thresholds",
    "load_network",
    "save_checkpoint",
]
