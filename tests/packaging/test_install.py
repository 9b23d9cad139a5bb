"""A wheel and a source archive work when pip installs them in a new environment elsewhere."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import numpy as np
import pytest

import nnlogic as package
from nnlogic.logic.cone import input_patterns
from nnlogic.logic.formats import parse

ROOT = Path(__file__).parents[2]
ROOMS = {"nnlogic": "nnlogic", "hw": "nnlogic/hw", "sim": "nnlogic/sim", "flows": "nnlogic/flows"}
NEEDED = ("pyproject.toml", "setup.py", "README.md", "LICENSE")
CHECKPOINT = ROOT / "zoo" / "jets_xs.safetensors"
CALM = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
ENV = {n: t for n, t in os.environ.items() if n != "PYTHONPATH" and not n.startswith("GIT_")} | CALM


def run(*command, cwd):
    done = subprocess.run(
        [*map(str, command)], cwd=cwd, env=ENV, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def git(*command, cwd):
    who = ["-c", "user.name=A", "-c", "user.email=a@b"]
    return run("git", *who, *command, cwd=cwd)


def sources(tree):
    """The files of the rooms, as paths in the tree; what machines wrote is left out."""
    for room in ROOMS:
        for path in sorted((tree / room).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path.relative_to(tree)


def installed_as(path):
    """The place of a source file below site-packages."""
    return str(Path(ROOMS[path.parts[0]], *path.parts[1:]))


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A checkout of its own, with a folder, a module and data that no list can know about."""
    tree = tmp_path_factory.mktemp("checkout")
    for path in [*sources(ROOT), *map(Path, NEEDED)]:
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, tree / path)
    for room in ROOMS:
        for folder in (tree / room / "added", tree / room / "added" / "below"):
            folder.mkdir()
            (folder / "__init__.py").write_text('"""Added."""\n')
            (folder / "table.toml").write_text("")
    git("init", "-q", cwd=tree)
    git("add", ".", cwd=tree)
    git("commit", "-q", "-m", "all", cwd=tree)
    return tree


@pytest.fixture(scope="module")
def commit(checkout):
    return git("rev-parse", "--short=7", "HEAD", cwd=checkout).strip()


@pytest.fixture(scope="module")
def archives(checkout, commit, tmp_path_factory):
    out = tmp_path_factory.mktemp("dist")
    code = (
        "import sys; from setuptools import build_meta as b; getattr(b, sys.argv[1])(sys.argv[2])"
    )
    left = checkout / "build" / "lib" / "nnlogic"  # of an earlier build
    left.mkdir(parents=True)
    (left / "gone.py").write_text("")
    for kind in ("build_sdist", "build_wheel"):
        run(sys.executable, "-c", code, kind, out, cwd=checkout)
    return {"wheel": next(out.glob("*.whl")), "sdist": next(out.glob("*.tar.gz"))}


def new_environment(folder):
    """A virtual environment that sees what this one has installed, except nnlogic."""
    venv.create(folder / "env", with_pip=False)
    theirs = folder / "theirs"
    theirs.mkdir()
    for entry in {Path(sysconfig.get_path(kind)) for kind in ("purelib", "platlib")}:
        for path in entry.iterdir():
            if "nnlogic" not in path.name and path.suffix != ".pth":
                (theirs / path.name).symlink_to(path)
    base = {"base": str(folder / "env"), "platbase": str(folder / "env")}
    scheme = "venv" if "venv" in sysconfig.get_scheme_names() else None
    site = Path(sysconfig.get_path("purelib", *([scheme] if scheme else []), vars=base))
    (site / "theirs.pth").write_text(f"{theirs}\n")
    return folder / "env" / "bin", site


def pip_install(python, archive, cwd):
    offline = ["--no-deps", "--no-index", "--no-build-isolation", "--quiet", "--no-cache-dir"]
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python]
    run(*pip, "install", *offline, archive, cwd=cwd)


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_installed_elsewhere_it_compiles_and_minimizes(archives, checkout, commit, kind, tmp_path):
    bin_, site = new_environment(tmp_path)
    pip_install(bin_ / "python", archives[kind], tmp_path)
    where = (
        "import nnlogic, nnlogic.hw.lut.core as c; print(nnlogic.__file__, c.__file__, sep='\\n')"
    )
    for line in run(bin_ / "python", "-c", where, cwd=tmp_path).split():
        assert Path(line).is_relative_to(site)
    missing = [p for p in map(installed_as, sources(checkout)) if not (site / p).is_file()]
    assert missing == []
    version = f"nnlogic {package.__version__} (commit {commit})\n"
    assert run(bin_ / "nnlogic", "--version", cwd=tmp_path) == version
    assert run(bin_ / "python", "-m", "nnlogic", "--version", cwd=tmp_path) == version

    run(bin_ / "nnlogic", "compile", CHECKPOINT, "-o", "run", "--effort", "fast", cwd=tmp_path)
    assert (tmp_path / "run" / "STATUS").read_text().strip() == "compiled"
    report = json.loads((tmp_path / "run" / "report.json").read_text())
    verdicts = {rung["number"]: rung["verdict"] for rung in report["ladder"]}
    assert [verdicts[number] for number in (1, 2, 3, 4)] == ["pass"] * 4
    assert "module" in (tmp_path / "run" / "rtl" / f"{report['name']}.v").read_text()

    table = "".join(np.random.default_rng(0).choice(["0", "1"], 256))
    (tmp_path / "f.truth").write_text(f"{table}\n")
    run(bin_ / "nnlogic", "minimize", "f.truth", "-o", "f.blif", "--effort", "fast", cwd=tmp_path)
    got = parse((tmp_path / "f.blif").read_bytes(), "f.blif", ".blif").content
    truth = np.array(list(table[::-1])) == "1"  # the file has the last combination first
    assert np.array_equal(got.evaluate(input_patterns(8)), truth[None])


def test_the_wheel_holds_every_source_file(archives, checkout):
    with zipfile.ZipFile(archives["wheel"]) as wheel:
        held = set(wheel.namelist())
    wanted = set(map(installed_as, sources(checkout)))
    assert wanted - held == set()
    extra = {name for name in held - wanted if ".dist-info/" not in name}
    assert extra == {"nnlogic/COMMIT"}
