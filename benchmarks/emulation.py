"""How fast the generated C emulates logic, beside other ways and the machine's own bound.

    python -m benchmarks.emulation RUN_OR_LOGIC... [--write docs/benchmarks/emulation.md]

All in one process tree, in turns, on the same 262,144 random samples, for eight seconds, the best
of each; results are compared before they are timed.

*Gates* is the style of C that difflogic writes: a statement for each gate of two inputs, on 64
samples in an integer, from the circuit that `nnlogic export FILE.bristol` makes. *Verilator* runs
the Verilog of the pipeline, a sample per clock. The *bound* is what the vector unit of one core can
do: three-input operations per second, measured in a loop of nothing else, over the operations of
the network; reading, writing and moving values comes on top.
"""

from __future__ import annotations

import argparse
import ctypes
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.exports import load
from benchmarks.page import Page, add_write, is_part
from nnlogic.core.names import Identifier
from nnlogic.design.build import build
from nnlogic.export import Subject, exports
from nnlogic.hw.lut.verilog import write_verilog
from nnlogic.hw.names import port_names
from nnlogic.logic.ir import LogicNet
from nnlogic.logic.straight import emulator
from nnlogic.logic.straight.native import FLAGS
from nnlogic.logic.straight.ternary import ternary
from nnlogic.tools.find import find

WORDS, MOST_GATES = 4096, 20_000
LEAST, SECONDS = 7, 8.0
"""Turns of a measurement, and how long it goes on: on a machine that others use, short calls and
many of them find moments in which nobody does."""
PEAK = """
#include <stdint.h>
#if defined(__AVX512F__)
#include <immintrin.h>
typedef __m512i word;
#define OP(a, b, c) _mm512_ternarylogic_epi64(a, b, c, 0x96)
#else
typedef uint64_t word __attribute__((vector_size(32)));
#define OP(a, b, c) ((a) ^ (b) ^ (c))
#endif
uint64_t peak(uint64_t rounds) {
  word x[12];
  for (int i = 0; i < 12; i++) for (unsigned j = 0; j < sizeof(word) / 8; j++)
    ((uint64_t *)&x[i])[j] = rounds + (uint64_t)i * j;
  for (uint64_t r = 0; r < rounds; r++) {
#pragma GCC unroll 12
    for (int i = 0; i < 12; i++) { x[i] = OP(x[i], x[i], x[i]); __asm__("" : "+x"(x[i])); }
  }
  uint64_t sum = 0;
  for (int i = 0; i < 12; i++) sum ^= ((uint64_t *)&x[i])[0];
  return sum;
}
uint64_t lanes(void) { return sizeof(word) / 8; }
"""
BENCH = """
#include "Vtop.h"
#include <chrono>
#include <cstdio>
#include <cstdint>
#include <vector>
int main(int, char **argv) {{
  std::vector<uint32_t> x({count}u * {words});
  FILE *f = fopen(argv[1], "rb");
  if (!f || fread(x.data(), 4, x.size(), f) != x.size()) return 1;
  Vtop top;
  top.rst = 0; top.in_valid = 1;
  double best = 1e9;
  for (int again = 0; again < {tries}; again++) {{
    auto start = std::chrono::steady_clock::now();
    for (unsigned i = 0; i < {count}; i++) {{
      {drive}
      top.clk = 0; top.eval(); top.clk = 1; top.eval();
    }}
    double s = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (s < best) best = s;
  }}
  printf("%.9g\\n", best);
}}
"""
HEAD = """# Emulation

Made by

    python -m benchmarks.emulation RUN...

on logic of zoo networks. Million samples per second on one core, 262,144 samples in a call, the best
of eight seconds in turns, in one run ({cpu}; other work ran beside it).
*evaluate_words* reads the network as data, with compiled kernels. *C* is `nnlogic export FILE.h`.
*Gates* is difflogic's style of C: a statement per gate of two inputs on 64-bit integers, from our own
circuit. *Verilator* runs the Verilog of the pipeline, a sample per clock. The bound is that of the
vector unit: {peak:.1f} billion operations of three inputs per second, on {lanes} words at once,
measured in a loop of nothing else.

| network | LUT6 | operations | evaluate_words | C | times | two threads | times | bound | reached | gates, C | Verilator |
|---|---|---|---|---|---|---|---|---|---|---|---|
"""  # noqa: E501


def shared(text: str, folder: Path, name: str) -> ctypes.CDLL:
    """Compile C as the emulator does, and load it."""
    (folder / f"{name}.c").write_text(text)
    line = [*find("cc").command, *FLAGS, "-o", f"{name}.so", f"{name}.c"]
    subprocess.run(line, cwd=folder, check=True, capture_output=True)
    return ctypes.CDLL(str(folder / f"{name}.so"))


def best(*ways: Callable[[], Any]) -> list[float]:
    """Return the least seconds of each, taken in turns."""
    out = [np.inf] * len(ways)
    begun, turns = time.perf_counter(), 0
    while turns < LEAST or time.perf_counter() - begun < SECONDS:
        turns += 1
        for i, way in enumerate(ways):
            start = time.perf_counter()
            way()
            out[i] = min(out[i], time.perf_counter() - start)
    return out


def gates(name: str, net: LogicNet) -> tuple[str, int]:
    """Return C with a statement per gate, as difflogic writes it, and the gates."""
    kind = exports()[".bristol"]
    lines = kind.write(Subject(net, Identifier(name)), ".bristol").data.decode().splitlines()
    count, wires = map(int, lines[0].split())
    inputs, outputs = (sum(map(int, line.split()[1:])) for line in lines[1:3])
    body = [f"const uint64_t v{i} = in[{i}];" for i in range(inputs)]
    for line in lines[3:]:
        *numbers, kind_of = line.split() or [""]
        if kind_of in ("AND", "XOR"):
            a, b, out = numbers[2:]
            body.append(f"const uint64_t v{out} = v{a} {'&' if kind_of == 'AND' else '^'} v{b};")
        elif kind_of == "INV":
            body.append(f"const uint64_t v{numbers[3]} = ~v{numbers[2]};")
        elif kind_of == "EQ":
            body.append(f"const uint64_t v{numbers[3]} = -(uint64_t){numbers[2]};")
        elif kind_of == "EQW":
            body.append(f"const uint64_t v{numbers[3]} = v{numbers[2]};")
    body += [f"out[{i}] = v{wires - outputs + i};" for i in range(outputs)]
    text = "#include <stdint.h>\n#include <stddef.h>\n"
    text += "static void one(const uint64_t *in, uint64_t *out) {\n" + "\n".join(body) + "\n}\n"
    text += (
        "void run(const uint64_t *in, uint64_t *out, size_t words) {\n"
        f"  for (size_t w = 0; w < words; w++) one(in + w * {inputs}, out + w * {outputs});\n}}\n"
    )
    return text, count


def verilated(net: LogicNet, bits: np.ndarray, folder: Path) -> float:
    """Return the seconds of all samples through a model of the pipeline's Verilog."""
    design = build(net, name="top")
    files = write_verilog(design, folder)
    x_names, _ = port_names(design)
    drive, at = [], 0
    codes = np.zeros((64 * WORDS, len(design.inputs)), np.uint32)
    for i, port in enumerate(design.inputs):
        width = port.format.bits
        weights = 1 << np.arange(width, dtype=np.uint32)
        codes[:, i] = bits[at : at + width].T @ weights
        at += width
        drive.append(f"top.{x_names[port.name]} = x[i * {len(design.inputs)}u + {i}];")
    codes.tofile(folder / "x.bin")
    facts = {"count": 64 * WORDS, "words": len(design.inputs), "tries": 3}
    (folder / "main.cpp").write_text(BENCH.format(drive="\n      ".join(drive), **facts))
    core = next(f.name for f in files if f.stem == "top")
    line = [
        *find("verilator").command, "--cc", "--exe", "--build", "-O3", "-CFLAGS",
        "-O3 -march=native", "-Wno-fatal", "--top-module", "top", "--prefix", "Vtop",
        "-o", "model", core, "main.cpp",
    ]  # fmt: skip
    subprocess.run(line, cwd=folder, check=True, capture_output=True)
    model = folder / "obj_dir" / "model"
    done = subprocess.run([model, "x.bin"], cwd=folder, check=True, capture_output=True, text=True)
    return float(done.stdout)


def row(name: str, net: LogicNet, peak: float, lanes: int) -> str:
    """Measure a network; return its row."""
    rng = np.random.default_rng(1)
    x = rng.integers(0, 2**64, (net.n_inputs, WORDS), dtype=np.uint64)
    fast, wanted = emulator(net), net.evaluate_words(x)
    ways = [
        lambda: net.evaluate_words(x),
        lambda: fast.evaluate_words(x),
        lambda: fast.evaluate_words(x, threads=2),
    ]
    samples = 64 * WORDS / 1e6
    stats, operations = net.stats(), ternary(net).n_nodes
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        text, count = gates(name, net)
        plain = count <= MOST_GATES
        if plain:
            code = shared(text, folder, "gates")
            turned = np.ascontiguousarray(x.T)
            out = np.empty((WORDS, len(wanted)), np.uint64)
            pointers = (turned.ctypes.data_as(ctypes.c_void_p), out.ctypes.data_as(ctypes.c_void_p))
            ways.append(lambda: code.run(*pointers, ctypes.c_size_t(WORDS)))
            ways[-1]()
            if not np.array_equal(out.T, wanted):
                raise SystemExit(f"{name}: the gates compute something else")
        if not np.array_equal(fast.evaluate_words(x, threads=2), wanted):
            raise SystemExit(f"{name}: the C computes something else")
        seconds = best(*ways)
        simulated = None
        if all(p.format.bits <= 32 for p in net.inputs) and plain:
            each = np.unpackbits(x.view(np.uint8), axis=1, bitorder="little")
            simulated = verilated(net, each.astype(np.uint32), folder)
    rates = [samples / s for s in seconds]
    bound = peak * lanes * 64 / operations / 1e6
    cells = [
        f"`{name}`", f"{stats['luts']:,}", f"{operations:,}", f"{rates[0]:,.1f}",
        f"{rates[1]:,.1f}", f"{rates[1] / rates[0]:.1f}", f"{rates[2]:,.1f}",
        f"{rates[2] / rates[1]:.2f}", f"{bound:,.1f}", f"{100 * rates[1] / bound:.0f} %",
        f"{rates[3]:,.1f}" if plain else f"not compiled, {count:,} gates",
        "not run" if simulated is None else f"{samples / simulated:,.2f}",
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |"


def main() -> int:
    """Measure all; print the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("nets", nargs="+", type=Path, help="run directories or saved LogicNets")
    add_write(parser, "emulation.md")
    args = parser.parse_args()
    page = Page(parser, args.out, is_part(parser, args, "nets"))
    nets = sorted((load(path) for path in args.nets), key=lambda item: item[1].stats()["luts"])
    with tempfile.TemporaryDirectory() as place:
        code = shared(PEAK, Path(place), "peak")
        code.peak.argtypes, code.peak.restype = [ctypes.c_uint64], ctypes.c_uint64
        code.lanes.restype = ctypes.c_uint64
        rounds, lanes = 100_000, int(code.lanes())
        peak = 12 * rounds / best(lambda: code.peak(rounds))[0]
    info = Path("/proc/cpuinfo").read_text().splitlines()
    cpu = next((line.split(":")[1].strip() for line in info if "model name" in line), "unknown")
    text = HEAD.format(cpu=cpu, peak=peak / 1e9, lanes=lanes)
    for name, net in nets:
        text += row(name, net, peak, lanes) + "\n"
        page.so_far(text)
    print(text)
    page.done(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
