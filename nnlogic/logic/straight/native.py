"""A network compiled to machine code, for evaluations that are worth it."""

from __future__ import annotations

import ctypes
import logging
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nnlogic.core.archive import digest, write_bytes
from nnlogic.core.bits import Words
from nnlogic.core.errors import Different, InputError
from nnlogic.core.names import Identifier
from nnlogic.logic.straight.c import Names, c_header
from nnlogic.logic.straight.parts import straight
from nnlogic.logic.straight.ternary import ternary
from nnlogic.tools.find import Tool, find, look
from nnlogic.tools.plain import scratch
from nnlogic.tools.run import run_tool

if TYPE_CHECKING:
    from nnlogic.logic.ir import LogicNet

FLAGS = ("-std=gnu99", "-O2", "-march=native", "-fPIC", "-shared")
DRIVER = """
void nnlogic_run(const uint64_t *in, size_t is, uint64_t *out, size_t os, size_t words) {
  net_words(in, is, out, os, words / net_lanes);
}
size_t nnlogic_lanes(void) { return net_lanes; }
"""
PROBE_WORDS = 8
log = logging.getLogger("nnlogic.logic")


class Emulator:
    """A compiled network.

    Parameters
    ----------
    net : LogicNet
    library : Path
        What `emulator` compiled.
    """

    def __init__(self, net: LogicNet, library: Path) -> None:
        self.net = net
        self._code = ctypes.CDLL(str(library))
        self._code.nnlogic_lanes.restype = ctypes.c_size_t
        self._lanes = int(self._code.nnlogic_lanes())
        pointer, size = ctypes.c_void_p, ctypes.c_size_t
        self._code.nnlogic_run.argtypes = [pointer, size, pointer, size, size]
        self._code.nnlogic_run.restype = None

    def evaluate_words(self, words: Words, *, threads: int = 1) -> Words:
        """Evaluate sample-packed words, as `LogicNet.evaluate_words` does.

        Parameters
        ----------
        words : uint64 array, shape (n_inputs, words)
        threads : int
            Cores to use; each takes its share of the words.

        Returns
        -------
        uint64 array, shape (len(output_signals), words)

        Raises
        ------
        InputError
            Wrong number of input rows.
        """
        words = np.asarray(words, dtype=np.uint64)
        if words.ndim != 2 or len(words) != self.net.n_inputs:
            why = f"got shape {words.shape}, need ({self.net.n_inputs}, words)"
            raise InputError("input words have the wrong shape", where=self.net.name, why=why)
        words = np.ascontiguousarray(words)
        count = words.shape[1]
        out = np.empty((len(self.net.output_signals), count), np.uint64)
        whole = count // self._lanes * self._lanes
        share = max(1, -(-whole // (max(1, threads) * self._lanes))) * self._lanes
        pieces = [(at, min(at + share, whole)) for at in range(0, whole, share)]
        if threads > 1 and len(pieces) > 1:
            with ThreadPoolExecutor(len(pieces)) as pool:
                list(pool.map(lambda piece: self._run(words, out, *piece), pieces))
        else:
            for piece in pieces:
                self._run(words, out, *piece)
        if whole < count:
            rest = np.zeros((len(words), self._lanes), np.uint64)
            rest[:, : count - whole] = words[:, whole:]
            last = np.empty((len(out), self._lanes), np.uint64)
            self._run(rest, last, 0, self._lanes)
            out[:, whole:] = last[:, : count - whole]
        return out

    def _run(self, words: Words, out: Words, start: int, stop: int) -> None:
        at = 8 * start
        rows = (words.ctypes.data + at, words.shape[1], out.ctypes.data + at, out.shape[1])
        self._code.nnlogic_run(*rows, stop - start)


@lru_cache(maxsize=8)
def emulator(net: LogicNet, cache: Path | None = None) -> Emulator:
    """Compile a network, or find it compiled, and compare it with the network on a probe.

    Parameters
    ----------
    net : LogicNet
    cache : Path, optional
        Folder to keep machine code in, by content. One that others could write to is not used.

    Raises
    ------
    ToolNotFound
        There is no C compiler.
    ToolFailed, ToolTimeout
        The compiler did not compile.
    Different
        What was compiled computes something else.
    """
    code = straight(ternary(net))
    text = c_header(code, Names(Identifier("net"), net.inputs, net.outputs)) + DRIVER
    compiler = find("cc")
    kept = _place(text, compiler, cache)
    if kept is not None and kept.exists():
        found = _usable(net, kept)
        if found is not None:
            return found
        log.warning("%s is not what was kept there; it is compiled again", kept)
    with scratch("native") as cwd:
        (cwd / "net.c").write_text(text)
        built = cwd / "net.so"
        run_tool(compiler, [*FLAGS, "-o", built, "net.c"], cwd=cwd, outputs=(built,))
        if kept is not None:
            write_bytes(kept, built.read_bytes())
        out = _usable(net, built)
    if out is None:
        raise Different("compiled code differs from the network", where=net.name)
    return out


def _usable(net: LogicNet, library: Path) -> Emulator | None:
    """Return a compiled network; None where it cannot be loaded or is wrong on a probe."""
    try:
        out = Emulator(net, library)
    except (OSError, AttributeError):
        return None
    rng = np.random.default_rng(0)
    probe = rng.integers(0, 2**64, (net.n_inputs, PROBE_WORDS), dtype=np.uint64)
    return out if (out.evaluate_words(probe) == net.evaluate_words(probe)).all() else None


def has_compiler() -> bool:
    """Whether there is a C compiler."""
    return look("cc")[0] is not None


def _place(text: str, compiler: Tool, cache: Path | None) -> Path | None:
    """Return where machine code is kept; None where others could have put something there."""
    if cache is None:
        return None
    folder = cache / "native"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = folder.stat()
    except OSError:
        return None
    if mode.st_uid != os.getuid() or stat.S_IMODE(mode.st_mode) & 0o022:
        return None
    return folder / f"{digest(text, compiler.command, compiler.version, _machine())}.so"


def _machine() -> str:
    """Return what ``-march=native`` depends on."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    return next((line for line in lines if line.startswith(("flags", "Features"))), "")
