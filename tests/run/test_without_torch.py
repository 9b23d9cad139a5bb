"""Compiling needs no torch: only training does."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
BLOCKED = "import sys; sys.modules['torch'] = None; from nnlogic.cli.main import main; "


def test_a_network_is_compiled_where_torch_cannot_be_imported(tmp_path):
    words = ["compile", str(ROOT / "zoo" / "jets_wire_xxs.safetensors"), "-o", "run", "--jobs", "1"]
    done = subprocess.run(
        [sys.executable, "-c", f"{BLOCKED}sys.exit(main({words!r}))"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "STATUS").read_text() == "compiled\n"
