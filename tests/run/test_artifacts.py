"""The scripts a user carries away do what they say."""

import os
import shlex
import subprocess

import pytest

from nnlogic.flows.targets import Target
from nnlogic.run import compile as compile_run
from nnlogic.tools.find import find


@pytest.fixture(scope="module")
def run(make_net, tmp_path_factory):
    folder = tmp_path_factory.mktemp("user")
    make_net(4).save(folder / "toy.safetensors")
    return compile_run(folder / "toy.safetensors", folder / "run", jobs=1).path


def shim(folder, name):
    """A program of the given name that runs the tool nnlogic found."""
    tool = find(next((p for p in Target.programs() if p.name == name), name))
    script = folder / name
    settings = "".join(f"export {k}={shlex.quote(v)}\n" for k, v in tool.env.items())
    script.write_text(f'#!/bin/sh\n{settings}exec {shlex.join(tool.command)} "$@"\n')
    script.chmod(0o755)
    return str(script)


def test_plain_bench_passes_and_fails_on_a_planted_fault(run):
    bench = ["sh", str(run / "sim" / "run_bench.sh")]
    done = subprocess.run(bench, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "PASS: 1000 rows" in done.stdout
    vectors = run / "sim" / "toy_expected.hex"
    good = vectors.read_text()
    first, rest = good.split("\n", 1)
    vectors.write_text(f"{int(first, 16) ^ 1:x}".zfill(len(first)) + "\n" + rest)
    done = subprocess.run(bench, capture_output=True, text=True, check=False)
    vectors.write_text(good)
    assert done.returncode != 0
    assert "FAIL" in done.stdout


def test_place_and_route_script_makes_a_bitstream(run, tmp_path):
    names = {"YOSYS": "yosys", "NEXTPNR": "nextpnr-ecp5", "PACKER": "ecppack"}
    env = {**os.environ, **{key: shim(tmp_path, name) for key, name in names.items()}}
    script = ["sh", str(run / "flows" / "pnr.sh")]
    done = subprocess.run(script, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-2000:]
    assert (run / "flows" / "bitstream.bit").stat().st_size > 1000
