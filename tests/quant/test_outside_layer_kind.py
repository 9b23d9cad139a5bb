"""The layer kind in examples/extending, installed apart, walked through compile and verify."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "extending" / "layer_kind"
MAIN = "import sys; from nnlogic.cli.main import main; sys.exit(main())"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the example is installed, in ``site``, with the file of a network."""
    out = tmp_path_factory.mktemp("outside")
    shutil.copytree(EXAMPLE, out / "source")
    subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet",
         "--no-deps", "--no-build-isolation", "--no-index", "--target", out / "site",
         out / "source"],
        check=True,
    )  # fmt: skip
    python(out, "source/make_network.py", "median.safetensors", check=True)
    return out


def python(folder, *words, installed="site", check=False):
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder / installed)},
        capture_output=True,
        text=True,
        check=check,
    )


def nnlogic(folder, *words, **how):
    return python(folder, "-c", MAIN, *words, **how)


def tables_check(run):
    ladder = json.loads((run / "report.json").read_text())["ladder"]
    (check,) = [c for rung in ladder for c in rung["checks"] if c["title"] == "QuantNet = TableNet"]
    return check


def test_compile_and_verify(folder):
    done = nnlogic(
        folder, "compile", "median.safetensors", "-o", "run", "--effort", "fast", "--jobs", "1"
    )
    assert done.returncode == 0, done.stderr
    done = nnlogic(folder, "verify", "run", "--simulator", "icarus")
    assert done.returncode == 0, done.stderr
    report = json.loads((folder / "run" / "report.json").read_text())
    assert report["status"] == "verified"
    check = tables_check(folder / "run")
    assert (check["verdict"], check["how"]) == ("pass", "exhaustive")
    assert "for want of a checker" not in check["detail"]
    said = nnlogic(folder, "inspect", "median.safetensors").stdout
    assert "median" in said


def test_without_its_checker_the_check_is_the_layer_itself(folder):
    shutil.copytree(folder / "site", folder / "bare", dirs_exist_ok=True)
    (points,) = (folder / "bare").glob("*.dist-info/entry_points.txt")
    points.write_text("[nnlogic.layers]\nmedian = nnlogic_median:Median\n")
    done = nnlogic(
        folder, "compile", "median.safetensors", "-o", "direct", "--stop-after", "tables",
        installed="bare",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    check = tables_check(folder / "direct")
    assert (check["verdict"], check["how"]) == ("pass", "exhaustive")
    assert "Median by evaluating the layer, for want of a checker" in check["detail"]


def test_without_the_package_the_file_is_refused(folder):
    done = nnlogic(folder, "compile", "median.safetensors", "-o", "none", installed="nowhere")
    assert done.returncode == 3, done.stderr
    assert "Median, known are Argmax, Enumerated, Linear" in done.stderr
    assert "install the package that defines this kind" in done.stderr


def test_planted_faults_are_found(folder):
    """Another table, and a kind whose two accounts of itself differ."""
    code = (
        "import sys; sys.path.insert(0, 'source'); import nnlogic, numpy as np;"
        "from dataclasses import replace; from make_network import network;"
        "from nnlogic_median import Median, MedianChecker; net = network();"
        "tables = nnlogic.tabulate(net); f = tables.functions[0];"
        "bits = f.bits ^ (f.bits.dtype.type(1) << f.bits.dtype.type(5));"
        "wrong = replace(tables, functions=(replace(f, bits=bits), *tables.functions[1:]));"
        "print(nnlogic.check(net, tables).text()); print(nnlogic.check(net, wrong).text());"
        "MedianChecker.fan_in = lambda self, i: sorted(self.layer.inputs[i])[1:];"
        "MedianChecker.values = lambda self, i, x, n: np.zeros(n, int);"
        "print(nnlogic.check(net, tables).text())"
    )
    done = python(folder, "-c", code, check=True)
    good, wrong, other = done.stdout.splitlines()
    assert good.startswith("QuantNet = TableNet (exhaustive)")
    assert wrong.startswith("QuantNet differs from TableNet (exhaustive): median/neuron0")
    assert other.startswith("QuantNet differs from TableNet (exhaustive): median/neuron0")
