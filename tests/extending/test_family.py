"""A neuron family of another package that cannot be used is named; `test_contributing` uses one."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "extending" / "family"


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The folder the example is installed to, from a copy: building writes beside the sources."""
    folder = tmp_path_factory.mktemp("family")
    source = shutil.copytree(EXAMPLE, folder / "source")
    subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "-q", "--no-deps",
         "--no-build-isolation", "--no-index", "--target", str(folder / "site"), str(source)],
        cwd=folder, capture_output=True, check=True,
    )  # fmt: skip
    return folder / "site"


BROKEN = {
    "missing": ("nowhere:Radial", "radial-neurons cannot be used", "nowhere:Radial"),
    "wrong": ("radial_neurons:torch", "no neuron family", "module 'torch'"),
    "taken": ("radial_neurons:Poly", "two neuron families have one name", "radial_neurons.Poly"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_package_that_offers_no_family_is_named(case, installed, tmp_path):
    value, said, which = BROKEN[case]
    site = shutil.copytree(installed, tmp_path / "site")
    if case == "taken":
        with (site / "radial_neurons.py").open("a") as file:
            file.write("\n\nclass Poly(Radial):\n    kind = 'poly'\n")
    (points,) = site.glob("*.dist-info/entry_points.txt")
    points.write_text(f"[nnlogic.families]\nradial = {value}\n")
    recipe = EXAMPLE / "digits_radial.toml"
    main = "import sys; from nnlogic.cli.main import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", main, "train", str(recipe), "-o", str(tmp_path / "out")],
        env={**os.environ, "PYTHONPATH": str(site)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert which in done.stderr


def test_an_option_of_a_type_no_recipe_can_give_is_a_problem_not_a_crash(monkeypatch):
    from nnlogic.model.layer import LayerSpec
    from nnlogic.nn import families as package
    from nnlogic.nn.families.poly import Polynomial

    class Odd(Polynomial):
        kind = "odd"

        def __init__(self, x, spec, generator, *, table: dict = {}, spread: float = 1.0):  # noqa: B006
            super().__init__(x, spec, generator)

    known = {**package.families(), "odd": Odd}
    monkeypatch.setattr(package, "families", lambda: known)
    spec = LayerSpec("fc", 3, "odd", options={"table": {}, "spread": 2})
    assert [p.why for p in package.spec_problems(spec)] == ["table is a table of 0, need dict"]
