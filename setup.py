"""Find the packages: nnlogic/, and hw/, sim/ and flows/, which install as nnlogic.hw and so on.

What the tables of pyproject.toml cannot say stands here: setuptools discovers packages below one
folder only, and the commit of a checkout has to be written down for an installation without git.
"""

import runpy
import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

ROOT = Path(__file__).parent
MOVED = ("hw", "sim", "flows")  # folders at the top level that install below nnlogic
REVISION = runpy.run_path(str(ROOT / "nnlogic" / "tools" / "revision.py"))


def packages() -> list[str]:
    """Return the dotted name of every package as installed."""
    found = find_packages(str(ROOT), include=["nnlogic", "nnlogic.*"])
    for folder in MOVED:
        found += [
            f"nnlogic.{name}" for name in find_packages(str(ROOT), [], [folder, f"{folder}.*"])
        ]
    return found


def record_commit(folder: str) -> None:
    """Write the commit of this tree into the ``nnlogic`` package below `folder`."""
    name = REVISION["RECORD"].name
    (Path(folder) / "nnlogic" / name).write_text(f"{REVISION['commit']() or ''}\n")


class BuildPackages(build_py):
    """Copy the packages, and record the commit beside them."""

    def run(self) -> None:
        """Build; an editable install keeps asking git."""
        if self.editable_mode:
            super().run()
            return
        # What an earlier build left would be packed too, modules that are gone since among it.
        shutil.rmtree(Path(self.build_lib, "nnlogic"), ignore_errors=True)
        super().run()
        record_commit(self.build_lib)


class SourceArchive(sdist):
    """Collect the sources, and record the commit beside them."""

    def make_release_tree(self, base_dir: str, files: list[str]) -> None:
        """Fill the tree that is packed."""
        super().make_release_tree(base_dir, files)
        record_commit(base_dir)


setup(
    packages=packages(),
    package_dir={"nnlogic": "nnlogic", **{f"nnlogic.{folder}": folder for folder in MOVED}},
    cmdclass={"build_py": BuildPackages, "sdist": SourceArchive},
)
