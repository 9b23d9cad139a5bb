"""The importer in examples/extending, installed apart, walked through compile and verify."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "extending" / "importer"


@pytest.fixture(scope="module")
def nnlogic(tmp_path_factory):
    """Run nnlogic where the example is installed, as a new process."""
    folder = tmp_path_factory.mktemp("outside")
    shutil.copytree(EXAMPLE, folder / "source")
    subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet",
         "--no-deps", "--no-build-isolation", "--no-index", "--target", folder / "site",
         folder / "source"],
        check=True,
    )  # fmt: skip

    def run(*words):
        return subprocess.run(
            [
                sys.executable,
                "-c",
                "import sys; from nnlogic.cli.main import main; sys.exit(main())",
                *words,
            ],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(folder / "site")},
            capture_output=True,
            text=True,
        )

    run.folder = folder
    return run


def report(run):
    return json.loads((run / "report.json").read_text())


def test_compile_and_verify(nnlogic):
    run = nnlogic.folder / "run"
    shutil.copy(EXAMPLE / "adder.nnt", nnlogic.folder)
    done = nnlogic("compile", "adder.nnt", "-o", "run", "--jobs", "1")
    assert done.returncode == 0, done.stderr
    done = nnlogic("verify", "run", "--simulator", "icarus")
    assert done.returncode == 0, done.stderr
    found = report(run)
    assert found["status"] == "verified"
    assert found["source"]["format"] == "NNT tables"
    first = found["ladder"][1]["checks"]
    assert [(c["title"], c["verdict"], c["how"]) for c in first] == [
        ("NNT tables = QuantNet", "pass", "exhaustive")
    ]
    assert "NNT tables" in nnlogic("inspect", "adder.nnt").stdout


def test_a_run_goes_on_without_the_importer(nnlogic):
    """What is left of an input whose importer is gone says so, and still compiles."""
    import nnlogic as here

    nnlogic.folder.joinpath("two.nnt").write_text("nnt 1\ninputs a b\ny a b: 0110\noutputs y\n")
    assert nnlogic("compile", "two.nnt", "-o", "two", "--stop-after", "quant").returncode == 0
    run = here.compile(
        nnlogic.folder / "two", nnlogic.folder / "again", start_from="tables",
        stop_after="tables", jobs=1,
    )  # fmt: skip
    (check,) = run.report.rung(1).checks
    assert (check.title, check.verdict) == ("input = QuantNet", "not run")
    assert check.detail == "the importer of NNT tables is not installed"


def test_damaged_files_are_refused_with_all_problems(nnlogic):
    bad = nnlogic.folder / "bad.nnt"
    bad.write_text("nnt 1\ninputs a b\nx a b : 012\ny a z : 0110\noutputs y\n")
    done = nnlogic("compile", "bad.nnt", "-o", "bad")
    assert done.returncode == 3
    assert "line 3  need 4 digits 0 or 1 after a colon" in done.stderr
    assert "line 4  z stands nowhere before" in done.stderr
    bad.write_bytes(b"nothing")
    done = nnlogic("compile", "bad.nnt", "-o", "bad")
    assert "need 'nnt 1'" in done.stderr


def test_its_check_fails_where_it_must(nnlogic):
    """A planted fault: the network of another file."""
    code = (
        "import sys; from pathlib import Path; import nnlogic;"
        "from nnlogic.checks.inputs import first_rung; a, b = map(Path, sys.argv[1:]);"
        "net = nnlogic.load(a); rung = first_rung(net);"
        "print(rung.check(net, a, 1)().text()); print(rung.check(net, b, 1)().text())"
    )
    shutil.copy(EXAMPLE / "adder.nnt", nnlogic.folder / "a.nnt")
    text = (EXAMPLE / "adder.nnt").read_text()
    (nnlogic.folder / "b.nnt").write_text(text.replace("00010111", "00010110"))
    done = subprocess.run(
        [sys.executable, "-c", code, "a.nnt", "b.nnt"],
        cwd=nnlogic.folder,
        env=os.environ | {"PYTHONPATH": str(nnlogic.folder / "site")},
        capture_output=True,
        text=True,
        check=True,
    )
    good, bad = done.stdout.splitlines()
    assert good == "NNT tables = QuantNet (exhaustive): 8 input combinations"
    assert bad.startswith("NNT tables differs from QuantNet (exhaustive): inputs [1, 1, 1]")
