"""Compiling needs no torch: only training does."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
BLOCKED = "import sys; sys.modules['torch'] = None; from nnlogic.cli.main import main; "


def run(folder, *more):
    words = ["compile", str(ROOT / "zoo" / "jets_wire_xxs.safetensors"), "-o", "run", "--jobs", "1"]
    return subprocess.run(
        [sys.executable, "-c", f"{BLOCKED}sys.exit(main({[*words, *more]!r}))"],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
    )  # fmt: skip


def test_a_network_is_compiled_where_torch_cannot_be_imported(tmp_path):
    done = run(tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "STATUS").read_text() == "compiled\n"


def test_luts_are_predicted_where_torch_cannot_be_imported(tmp_path):
    done = run(tmp_path, "--max-luts", "3")
    assert done.returncode == 6
    assert "predicted from the tables" in done.stderr
