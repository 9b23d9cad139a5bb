"""What most formats start from, made once for a campaign: a network, and a run of it."""

from __future__ import annotations

from pathlib import Path

from tests.conftest import random_quant_net


def make(folder: Path) -> None:
    """Write the network and the run."""
    from nnlogic.cli.main import main

    folder.mkdir(parents=True)
    random_quant_net().save(folder / "toy.safetensors")
    argv = ["compile", str(folder / "toy.safetensors"), "-o", str(folder / "run")]
    code = main([*argv, "--effort", "fast", "--jobs", "1"])
    if code:
        raise SystemExit(code)
