"""Where cases run: right files beside them, and the package already loaded."""

from __future__ import annotations

import base64
import importlib
import json
import os
import shutil
import sys
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import click

from . import corpus, sandbox
from .commands import Command
from .format import MOST, Format
from .formats import formats
from .judge import fault
from .sandbox import Limits


@dataclass(frozen=True)
class Case:
    """A broken file and the command it is given to.

    Attributes
    ----------
    format : str
    data : bytes
    argv : tuple of str
        Of one of the format's commands.
    done : tuple of str
        What was done to a right file.
    """

    format: str
    data: bytes
    argv: tuple[str, ...]
    done: tuple[str, ...] = ()

    @property
    def command(self) -> Command:
        """The command."""
        return next(c for c in formats()[self.format].commands if c.argv == self.argv)

    def save(self, path: Path, title: str) -> None:
        """Write to a file of JSON."""
        data = base64.b64encode(zlib.compress(self.data, 9)).decode()
        told = {"format": self.format, "argv": self.argv, "title": title, "done": self.done}
        path.write_text(json.dumps({**told, "data": data}, indent=1) + "\n")

    @classmethod
    def load(cls, path: Path) -> Case:
        """Read what `save` wrote."""
        told = json.loads(path.read_text())
        data = zlib.decompress(base64.b64decode(told["data"]))
        return cls(told["format"], data, tuple(told["argv"]), tuple(told["done"]))


def drawn(fmt: Format, seed: int, number: int, made: Path, most: int = MOST) -> Case:
    """Return a case, the same for the same seed and number; its mutations up to `most`."""
    rng = Random(f"{fmt.name} {seed} {number}")
    data, done, command = fmt.draw(rng, made, most)
    return Case(fmt.name, data, command.argv, tuple(done))


@dataclass
class Workplace:
    """A folder with the right files, and the package loaded as each command needs it.

    Attributes
    ----------
    folder : Path
    limits : Limits
    """

    folder: Path
    limits: Limits = field(default_factory=Limits)

    @property
    def made(self) -> Path:
        """Where the right files are."""
        return self.folder / "made"

    def prepare(self, names: Sequence[str]) -> None:
        """Make right files, and see that every command of the formats takes them."""
        self.folder.mkdir()
        # Its own cache and key, and none of the user's.
        for name in ("CACHE", "STATE"):
            os.environ[f"XDG_{name}_HOME"] = str(self.folder / name.lower())
        if sandbox.run(self._make, names, self.folder, Limits(120, 4 << 30)).code:
            raise click.ClickException((self.folder.parent / "stderr").read_text())
        for name in names:
            fmt = formats()[name]
            for data in fmt.right(self.made):
                for command in fmt.commands:
                    case = Case(name, data, command.argv)
                    out = self._run(case, self._learning(command))
                    # A file that is right may still be no network, such as a state_dict.
                    if fault(out, Path(fmt.file).name, command.codes, Limits(120, 4 << 30)):
                        raise click.ClickException(
                            f"a right {name} fails: {command.argv}\n{out.text}"
                        )
            self._preload()

    def _make(self, names: Sequence[str]) -> int:
        corpus.make(self.made)
        # Formats that start from the same files share what makes them.
        for make in dict.fromkeys(formats()[name].make for name in names):
            make(self.made)
        return 0

    def _learning(self, command: Command) -> sandbox.Main:
        modules = self.folder / "modules"

        def run(argv: Sequence[str]) -> int:
            code = command.run(argv)
            modules.write_text("\n".join(sys.modules))
            return code

        return run

    def _preload(self) -> None:
        # In the parent each is imported once, and not in every child.
        for name in (self.folder / "modules").read_text().splitlines():
            if name not in sys.modules and "__main__" not in name:
                try:
                    importlib.import_module(name)
                except ImportError:
                    continue

    def fault(self, case: Case) -> tuple[str | None, sandbox.Outcome]:
        """Run a case and return what is wrong."""
        out = self._run(case, case.command.run)
        name = Path(formats()[case.format].file).name
        return fault(out, name, case.command.codes, self.limits), out

    def _run(self, case: Case, main: sandbox.Main) -> sandbox.Outcome:
        fmt, folder = formats()[case.format], self.folder / "case"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        fmt.around(self.made, folder)
        path = folder / fmt.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(case.data)
        return sandbox.run(main, case.argv, folder, self.limits)
