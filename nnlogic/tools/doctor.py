"""What is installed, what it is for, and what to do about what is not."""

from __future__ import annotations

import importlib.metadata
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from nnlogic.tools.find import SPECS, Program, look, name_of, spec_of

GIB = 1 << 30
DISK_GIB = 1.0
MINIMUM_PYTHON = (3, 11)

_FLOW, _TRAIN = "pip install 'nnlogic[flow]'", "pip install 'nnlogic[train]'"
# Packages that are not needed for every command: distribution, purpose, fix. What nnlogic cannot
# do without is read from its own metadata.
_OPTIONAL = (
    ("cocotb", "simulation", _FLOW),
    ("amaranth-boards", "pins of boards", "pip install 'nnlogic[board]'"),
    ("pyserial", "serial lines to boards", "pip install 'nnlogic[board]'"),
    ("torch", "training, and reading torch files", _TRAIN),
    ("scikit-learn", "data sets for training", _TRAIN),
)
_PURPOSES = {
    "amaranth": "Verilog generation",
    "click": "command line",
    "joblib": "parallel minimization",
    "networkx": "graph algorithms",
    "numba": "fast evaluation",
    "numpy": "arrays",
    "pyeda": "espresso",
    "rich": "terminal output",
    "safetensors": "checkpoints and IR files",
    "scipy": "linear programs of the arithmetic engines",
}


@dataclass(frozen=True)
class ToolStatus:
    """One thing nnlogic uses.

    Attributes
    ----------
    name : str
    ok : bool
        Present and new enough.
    version : str
        Empty when it is missing.
    source : str
        Wheel, or path; why it cannot be used when it is not `ok`.
    purpose : str
        What nnlogic uses it for.
    fix : str
        What to do; empty when it is `ok`.
    required : bool
        Whether compiling and verifying needs it.
    """

    name: str
    ok: bool
    version: str
    source: str
    purpose: str
    fix: str
    required: bool = True


def diagnose(more: Sequence[Program] = ()) -> tuple[ToolStatus, ...]:
    """Look for everything nnlogic uses: Python, packages, programs, disk space.

    Nothing is imported and nothing heavy is started, so this is quick.

    Parameters
    ----------
    more : sequence of Program
        Programs to look for beside those every design needs.

    Returns
    -------
    tuple of ToolStatus
        Names are unique; Python first, then packages, programs, and free disk space.
    """
    with ThreadPoolExecutor(max_workers=8) as pool:
        programs = list(pool.map(_program, (*SPECS, *more)))
    return (
        _python(),
        *_packages(),
        *programs,
        _perl(),
        _disk("disk, here", Path.cwd()),
        _disk("disk, scratch", _temporary()),
    )


def _python() -> ToolStatus:
    ok = sys.version_info[:2] >= MINIMUM_PYTHON
    need = ".".join(map(str, MINIMUM_PYTHON))
    return ToolStatus(
        "python",
        ok,
        platform.python_version(),
        sys.executable,
        "runs nnlogic",
        "" if ok else f"use Python {need} or newer",
    )


def _packages() -> list[ToolStatus]:
    try:
        required = importlib.metadata.requires("nnlogic") or []
    except importlib.metadata.PackageNotFoundError:
        required = []
    out = []
    for line in required:
        name = re.split(r"[^\w.-]", line, maxsplit=1)[0]
        if "extra ==" not in line:
            out.append(_package(name, _PURPOSES.get(name, ""), "pip install nnlogic", True))
    out += [_package(name, purpose, fix, False) for name, purpose, fix in _OPTIONAL]
    return out


def _package(name: str, purpose: str, fix: str, required: bool) -> ToolStatus:
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ToolStatus(name, False, "", "not installed", purpose, fix, required)
    return ToolStatus(name, True, version, "Python package", purpose, "", required)


def _program(program: str | Program) -> ToolStatus:
    spec, name = spec_of(program), name_of(program)
    tool, why = look(program)
    if tool is None:
        return ToolStatus(name, False, "", why, spec.purpose, spec.fix, spec.required)
    version = tool.version_text
    return ToolStatus(name, True, version, tool.source, spec.purpose, "", spec.required)


def _perl() -> ToolStatus:
    path = shutil.which("perl")
    fix = "" if path else "install perl, for instance: apt-get install perl"
    return ToolStatus(
        "perl", path is not None, "", path or "not on PATH", "starts Verilator", fix, False
    )


def _temporary() -> Path:
    return Path(tempfile.gettempdir())


def _disk(name: str, folder: Path) -> ToolStatus:
    free = shutil.disk_usage(folder).free / GIB
    ok = free >= DISK_GIB
    return ToolStatus(
        name,
        ok,
        f"{free:.1f} GiB free",
        str(folder),
        "runs and scratch files",
        "" if ok else f"free at least {DISK_GIB:g} GiB",
    )
