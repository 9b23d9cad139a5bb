"""A C99 header: bit-parallel evaluation of 64 to 512 samples, and of one."""

from __future__ import annotations

import ctypes
import time
from pathlib import Path

import numpy as np

from nnlogic.checks.specification import check_equal
from nnlogic.checks.verdict import Verdict
from nnlogic.core.bits import random_codes
from nnlogic.core.errors import FormatError
from nnlogic.core.formats import IntArray
from nnlogic.export import Export, Subject, Written
from nnlogic.export.c_read import read_c
from nnlogic.logic.straight import Names, c_header, straight, ternary
from nnlogic.tools.find import look
from nnlogic.tools.plain import scratch
from nnlogic.tools.run import run_tool

SAMPLES = 4096 + 37
"""More than whole words of any width, so that the last word is not full."""
WARNINGS = ("-Wall", "-Wextra", "-Wpedantic", "-Werror")
BUILDS = {"64-bit words": ("-DNNLOGIC_PORTABLE",), "words of this machine": ("-march=native",)}
DRIVER = """
#include "net.h"
void run(const {n}_code *in, {n}_code *out, size_t count) {{
  for (size_t i = 0; i < count; i += {n}_samples)
    {n}_batch(in + i * {n}_features, out + i * {n}_answers,
              count - i < {n}_samples ? count - i : {n}_samples);
}}
void single(const {n}_code *in, {n}_code *out) {{ {n}_one(in, out); }}
size_t code_bytes(void) {{ return sizeof({n}_code); }}
"""
SINGLES = 64


def write(subject: Subject, suffix: str) -> Written:
    """Return the network as a header."""
    net = subject.net
    code = straight(ternary(net))
    names = Names(subject.name, net.inputs, net.outputs, subject.remarks)
    facts = {"operations of 3 inputs": code.cone.n_nodes, "functions": len(code.parts)}
    return Written(c_header(code, names).encode(), facts)


def check(subject: Subject, data: bytes, suffix: str) -> tuple[Verdict, ...]:
    """Read the text back and prove it, then compile it both ways and run it on samples."""
    title = "C as read back"
    try:
        read = read_c(data.decode(), subject.name)
    except FormatError as error:
        return (Verdict("network", title, False, "exhaustive", error.why, error.where),)
    proof = check_equal("network", title, subject.cone, read, 600)
    if not proof.equal or look("cc")[0] is None:
        return (proof,)
    return (proof, *(_compiled(subject, data, build) for build in BUILDS))


def _compiled(subject: Subject, data: bytes, build: str) -> Verdict:
    start = time.monotonic()
    net = subject.net
    codes = random_codes(net.inputs, SAMPLES, seed=1)
    with scratch("c") as cwd:
        (cwd / "net.h").write_bytes(data)
        (cwd / "net.c").write_text(DRIVER.format(n=subject.name))
        out = cwd / "net.so"
        tool, _ = look("cc")
        assert tool is not None
        flags = ("-std=c99", "-O1", "-fPIC", "-shared", *WARNINGS, *BUILDS[build])
        run_tool(tool, [*flags, "-o", out, "net.c"], cwd=cwd, outputs=(out,))
        got, singles = _called(out, codes, len(net.outputs))
    expected = net.evaluate(codes)
    wrong = np.argwhere(got != expected)
    wrong = wrong if wrong.size else np.argwhere(singles != expected[:SINGLES])
    where = f"sample {wrong[0][0]}, {net.outputs[wrong[0][1]].name}" if wrong.size else ""
    how = f"sampled n={SAMPLES}"
    return Verdict("network", f"C, {build}", not wrong.size, how, "", where).timed(start)


def _called(library: Path, codes: IntArray, answers: int) -> tuple[IntArray, IntArray]:
    """Return what a library computes in batches, and one by one for the first samples."""
    code = ctypes.CDLL(str(library))
    code.code_bytes.restype = ctypes.c_size_t
    kind = {4: np.int32, 8: np.int64}[code.code_bytes()]
    given = np.ascontiguousarray(codes, dtype=kind)
    out = np.empty((len(codes), answers), kind)
    pointer = ctypes.c_void_p
    code.run.argtypes = [pointer, pointer, ctypes.c_size_t]
    code.single.argtypes = [pointer, pointer]
    code.run(given.ctypes.data, out.ctypes.data, len(codes))
    alone = np.empty((SINGLES, answers), kind)
    for i in range(SINGLES):
        code.single(given[i].ctypes.data, alone[i].ctypes.data)
    return out.astype(np.int64), alone.astype(np.int64)


EXPORT = Export((".h",), "C99 header for bit-parallel software", write, check)
