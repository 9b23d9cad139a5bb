"""Torch modules whose neurons can be enumerated."""

from nnlogic.model.layer import LayerSpec
from nnlogic.nn.checkpoint import load_network, save_checkpoint
from nnlogic.nn.encoders import allocate_bits
from nnlogic.nn.network import Network
from nnlogic.nn.quantizers import (
    PACT,
    QFX,
    Activation,
    Codebook,
    FeatureQuantizer,
    ReBNet,
    Sign,
    SignedUniform,
    fit_thresholds,
)
from nnlogic.nn.sparse import SparseLinear
from nnlogic.nn.stack import Stack

__all__ = [
    "PACT",
    "QFX",
    "Activation",
    "Codebook",
    "FeatureQuantizer",
    "LayerSpec",
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
