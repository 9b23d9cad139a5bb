"""Verilog files as text: comments and attributes blanked, modules found, places by line."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from nnlogic.core.errors import CheckpointError, Problem

# Attributes look like the sensitivity list (*), which must stay.
# What is not ended reaches to the end of the file: a second search for its end is not needed.
_BLANK = re.compile(r"//[^\n]*|/\*.*?(?:\*/|\Z)|\(\*(?!\s*\)).*?(?:\*\)|\Z)", re.DOTALL)
_DIRECTIVE = re.compile(r"^[ \t]*`(\w+)[^\n]*", re.MULTILINE)
_HARMLESS = ("timescale", "default_nettype", "resetall", "celldefine", "endcelldefine")
_MODULE = re.compile(r"module\s+(\w+)")  # a literal prefix makes the search fast
_END = re.compile(r"endmodule\b")
LONGEST_WORD = 60_000
"""Characters of a name or number that yosys, by which imports are checked, still reads."""
_LONG = re.compile(rf"\b\w{{{LONGEST_WORD + 1},}}")
SUFFIXES = (".v", ".sv")
MARK = b"\xef\xbb\xbf"
_WORDS_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


class NotTables(Exception):
    """Verilog outside the family at an offset of a file; the arguments make a `Problem`."""

    def __init__(self, at: int, why: str, fix: str = "") -> None:
        super().__init__(why)
        self.at, self.why, self.fix = at, why, fix


@dataclass(frozen=True, eq=False)
class SourceFile:
    """A Verilog file whose comments and attributes are blanked; offsets are those of the file."""

    path: Path
    text: str

    @cached_property
    def _lines(self) -> list[int]:
        return [0, *(m.end() for m in re.finditer("\n", self.text))]

    def place(self, at: int) -> str:
        """Return ``file:line`` of an offset."""
        return f"{self.path.name}:{bisect_right(self._lines, at)}"

    def problem(self, error: NotTables, name: str = "") -> Problem:
        """Return an error in this file as a problem of the module `name`."""
        where = self.place(error.at)
        return Problem(f"{where} {name}".rstrip(), error.why, error.fix)


@dataclass(frozen=True, eq=False)
class ModuleText:
    """A module: its name, file, and the offsets between its name and ``endmodule``."""

    name: str
    source: SourceFile
    start: int
    end: int


def read_modules(path: Path) -> tuple[dict[str, ModuleText], list[Problem]]:
    """Read a file and return its modules by name, and compiler directives that are not handled.

    Raises
    ------
    CheckpointError
        The file cannot be read as text, or has a word that is too long.
    """
    try:
        text = read_plain(path).removeprefix(MARK).decode("utf-8")
    except UnicodeDecodeError as error:
        fix = ""
        if error.start < 2 and error.object[:2] in (b"\xff\xfe", b"\xfe\xff"):
            fix = "it begins as UTF-16 does: save it as UTF-8"
        raise CheckpointError(
            "cannot read the file", where=str(path), why=str(error), fix=fix
        ) from error
    text = _BLANK.sub(_spaces, text)
    problems = []
    source = SourceFile(path, text)
    if found := _LONG.search(text):
        why = f"a name or number of {found.end() - found.start():,} characters"
        raise CheckpointError(
            "cannot read the file", where=str(path),
            why=f"{why} at {source.place(found.start())}, limit {LONGEST_WORD:,}",
        )  # fmt: skip
    if "`" in text:
        for found in _DIRECTIVE.finditer(text):
            if found.group(1) not in _HARMLESS:
                why = f"compiler directive `{found.group(1)}"
                fix = "run the preprocessor first, for instance: verilator -E or iverilog -E"
                problems.append(Problem(source.place(found.start()), why, fix))
        source = SourceFile(path, _DIRECTIVE.sub(_spaces, text))
    modules: dict[str, ModuleText] = {}
    at = 0
    while opening := _MODULE.search(source.text, at):
        name, end = opening.group(1), _END.search(source.text, opening.end())
        if name in modules:
            twice = NotTables(opening.start(), "the module is defined twice")
            problems.append(source.problem(twice, name))
        if end is None:
            fix = "the file is cut short: copy it again"
            problems.append(source.problem(NotTables(opening.start(), "no endmodule", fix), name))
            break
        modules[name] = ModuleText(name, source, opening.end(), end.start())
        at = end.end()
    return modules, problems


def read_plain(path: Path) -> bytes:
    """Return the content of a regular file.

    Raises
    ------
    CheckpointError
        It is missing, or a folder, a pipe or a device, which may never end.
    """
    try:
        if path.exists() and not path.is_file():
            raise CheckpointError("not a regular file", where=str(path))
        return path.read_bytes()
    except FileNotFoundError as error:
        raise CheckpointError("no such file", where=str(path)) from error
    except OSError as error:
        raise CheckpointError("cannot read the file", where=str(path), why=str(error)) from error


class Library:
    """Modules by name: those of one file, and of the files beside it as they are needed.

    A missing module is looked for in ``<module>.v`` first, then in all other Verilog files of
    the folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problems: list[Problem] = []
        self.files: list[Path] = []
        self.modules: dict[str, ModuleText] = {}
        self._others: dict[str, Path] | None = None
        self._read: set[str] = set()
        self._add(path)
        self.first = tuple(self.modules)

    def find(self, name: str) -> ModuleText | None:
        """Return a module, or None when no file has it."""
        if name not in self.modules:
            beside = [self.path.with_name(name + s) for s in SUFFIXES]
            path = next((p for p in beside if p.name not in self._read and p.is_file()), None)
            path = path or self._elsewhere().get(name)
            if path is not None and path.name not in self._read:
                self._add(path)
        return self.modules.get(name)

    def _elsewhere(self) -> dict[str, Path]:
        if self._others is None:
            self._others = {}
            beside = (p for s in SUFFIXES for p in self.path.parent.glob(f"*{s}"))
            for path in sorted(p for p in beside if p.is_file()):
                try:
                    data = read_plain(path)
                except CheckpointError as error:
                    self.problems.append(Problem(path.name, error.why or error.what))
                    continue
                for name in re.findall(rb"\bmodule\s+(\w+)", data):
                    self._others.setdefault(name.decode(), path)
        return self._others

    def words_file(self, name: str, at: int) -> Path:
        """Return the file of words of this name, which must stand beside the top file.

        Raises
        ------
        NotTables
            It is not there, is no regular file, or its name leads elsewhere.
        """
        path = self.path.parent / name
        if not _WORDS_FILE.fullmatch(name) or path.suffix in SUFFIXES:
            fix = "name a file beside the top file: letters, digits, . _ and -"
            raise NotTables(at, f"a file of words called {name[:60]!r}", fix)
        if not path.is_file() or path.resolve().parent != self.path.parent.resolve():
            raise NotTables(at, f"no file {name} beside the top file")
        return path

    def _add(self, path: Path) -> None:
        modules, problems = read_modules(path)
        self.files.append(path)
        self._read.add(path.name)
        self.problems += problems
        for name, module in modules.items():
            if name in self.modules:
                first = self.modules[name].source.path.name
                twice = NotTables(module.start, f"the module is defined in {first} as well")
                self.problems.append(module.source.problem(twice, name))
            self.modules.setdefault(name, module)


def _spaces(found: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", found.group())
