"""Tests of kernels for GPUs: no part of the suite on machines without one.

They are collected where torch sees a GPU, or by ``TRITON_INTERPRET=1 pytest tests/gpu`` where Triton
is installed, which runs them in its interpreter on a CPU.
"""

import os

import torch

collect_ignore = (
    [] if torch.cuda.is_available() or os.environ.get("TRITON_INTERPRET") else ["test_fused.py"]
)
