"""The examples of CONTRIBUTING, line by line: each kind of extension, outside the package."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import nnlogic

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(r"```sh\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(), re.DOTALL)
# What `pip install`, `nnlogic` and `python` are here: nothing is added to this environment.
SHELL = """set -eu
pip() {{ {python} -m pip --disable-pip-version-check "$@" -q --no-build-isolation --no-index \
  --target site; }}
nnlogic() {{ {python} -m nnlogic "$@"; }}
python() {{ {python} "$@"; }}
"""


SAID = {
    "family": (r"fc1 +network +80 ", r"QuantNet = TableNet +pass +exhaustive: 90 neurons"),
}
"""Patterns of what is printed."""


def kind(block):
    return re.search(r"examples/extending/(\w+)", block)[1]


def test_every_kind_has_an_example():
    kinds = {p.name for p in (ROOT / "examples" / "extending").iterdir()}
    assert sorted(map(kind, BLOCKS)) == sorted(kinds)
    assert len(kinds) == 5


@pytest.mark.parametrize("block", BLOCKS, ids=map(kind, BLOCKS))
def test_the_example_runs_as_it_stands(block, tmp_path):
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    (tmp_path / "zoo").symlink_to(ROOT / "zoo")
    script = SHELL.format(python=sys.executable) + block
    environment = {**os.environ, "PYTHONPATH": "site"}
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-1000:]
    [run] = tmp_path.glob("run-*")
    assert (run / "STATUS").read_text() == "verified\n"
    for pattern in SAID.get(kind(block), ()):
        assert re.search(pattern, done.stdout), pattern
    if kind(block) == "family":
        (found,) = re.findall(r"table +([\d.]+) % correct", done.stdout)
        assert float(found) > 50
        # What was trained is tables: the package that made them is not needed any more.
        assert nnlogic.load(tmp_path / "trained" / "digits_radial.safetensors").layers
