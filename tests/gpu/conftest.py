"""Tests of kernels for GPUs: no part of the suite on machines without one.

They are collected where torch sees a GPU; ``TRITON_INTERPRET=1 pytest tests/gpu`` runs them in
the interpreter of Triton on a CPU, where that is installed.
"""

import os

import torch

collect_ignore = (
    [] if torch.cuda.is_available() or os.environ.get("TRITON_INTERPRET") else ["test_fused.py"]
)
