"""The examples of CONTRIBUTING, line by line: each kind of extension, outside the package."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(r"```sh\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(), re.DOTALL)
# What `pip install`, `nnlogic` and `python` are here: nothing is added to this environment.
SHELL = """set -eu
pip() {{ {python} -m pip --disable-pip-version-check "$@" -q --no-build-isolation --no-index \
  --target site; }}
nnlogic() {{ {python} -m nnlogic "$@"; }}
python() {{ {python} "$@"; }}
"""


def kind(block):
    return re.search(r"examples/extending/(\w+)", block)[1]


def test_every_kind_has_an_example():
    kinds = {p.name for p in (ROOT / "examples" / "extending").iterdir()}
    assert sorted(map(kind, BLOCKS)) == sorted(kinds)
    assert len(kinds) == 5


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """What is minimized once: two examples begin with the same network."""
    return tmp_path_factory.mktemp("cache")


@pytest.mark.parametrize("block", BLOCKS, ids=map(kind, BLOCKS))
def test_the_example_runs_as_it_stands(block, tmp_path, cache):
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    script = SHELL.format(python=sys.executable) + block
    environment = {**os.environ, "PYTHONPATH": "site", "XDG_CACHE_HOME": str(cache)}
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-1000:]
    [run] = tmp_path.glob("run-*")
    assert (run / "STATUS").read_text() == "verified\n"
