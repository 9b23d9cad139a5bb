"""C99 of a network: one header without dependencies, 64 to 512 samples in each operation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nnlogic.core.formats import Port
from nnlogic.core.inert import CommentText
from nnlogic.core.names import Identifier
from nnlogic.logic.straight.parts import Code
from nnlogic.logic.straight.ternary import expressions, widened

WIDE = 31
"""Bits of a port above which codes are ``int64_t``."""

BLOCK = 8
"""Words that one part computes before the next part does: code is long, and is read once."""
MEMORY = "const uint64_t *in, size_t is, uint64_t *out, size_t os"
TOP = """\
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A word holds one bit of {n}_samples samples; in memory it is {n}_lanes times uint64_t. */
#if defined(__GNUC__) && defined(__AVX512F__) && !defined(NNLOGIC_PORTABLE)
#include <immintrin.h>
typedef __m512i {n}_word;
typedef long long {n}_bits __attribute__((vector_size(64), aligned(8), may_alias));
#define {n}_op(table, a, b, c, expression) _mm512_ternarylogic_epi64(c, b, a, table)
#elif defined(__GNUC__) && defined(__AVX2__) && !defined(NNLOGIC_PORTABLE)
typedef uint64_t {n}_word __attribute__((vector_size(32)));
typedef uint64_t {n}_bits __attribute__((vector_size(32), aligned(8), may_alias));
#define {n}_op(table, a, b, c, expression) (expression)
#else
typedef uint64_t {n}_word;
typedef uint64_t {n}_bits;
#define {n}_op(table, a, b, c, expression) (expression)
#endif
#define {n}_in(bit) (*(const {n}_bits *)(const void *)(in + bit * is))
#define {n}_out(bit) (*({n}_bits *)(void *)(out + bit * os))

enum {{
  {n}_features = {features},
  {n}_answers = {answers},
  {n}_input_bits = {inputs},
  {n}_output_bits = {outputs},
  {n}_lanes = (int)(sizeof({n}_word) / 8),
  {n}_samples = 64 * {n}_lanes
}};
typedef {code} {n}_code;
"""

CODES = """\
/* Codes of up to {n}_samples samples, sample by sample; `out` likewise. No branch depends on
   a value, so that the time for one sample is always the same. */
static inline void {n}_batch(const {n}_code *in, {n}_code *out, size_t count) {{
  static const unsigned char in_width[] = {{{in_width}}};
  static const unsigned char out_width[] = {{{out_width}}};
  static const unsigned char out_signed[] = {{{out_signed}}};
  uint64_t x[{rows_in}][{n}_lanes], y[{rows_out}][{n}_lanes];
  memset(x, 0, sizeof x);
  for (size_t i = 0; i < count; i++) {{
    size_t bit = 0;
    for (size_t p = 0; p < {n}_features; p++)
      for (unsigned b = 0; b < in_width[p]; b++, bit++)
        x[bit][i >> 6] |= ((uint64_t)in[i * {n}_features + p] >> b & 1) << (i & 63);
  }}
  {n}_words(x[0], {n}_lanes, y[0], {n}_lanes, 1);
  for (size_t i = 0; i < count; i++) {{
    size_t bit = 0;
    for (size_t p = 0; p < {n}_answers; p++) {{
      uint64_t value = 0;
      uint64_t sign = (uint64_t)out_signed[p] << (out_width[p] - 1);
      for (unsigned b = 0; b < out_width[p]; b++, bit++)
        value |= (y[bit][i >> 6] >> (i & 63) & 1) << b;
      out[i * {n}_answers + p] = ({n}_code)(int64_t)((value ^ sign) - sign);
    }}
  }}
}}

/* Codes of one sample. */
static inline void {n}_one(const {n}_code *in, {n}_code *out) {{ {n}_batch(in, out, 1); }}
"""


@dataclass(frozen=True)
class Names:
    """What a header calls things.

    Attributes
    ----------
    prefix : Identifier
        All names in it begin with this.
    inputs, outputs : tuple of Port
        Features and answers; bits of a port follow each other, least significant first.
    remarks : sequence of str
        Lines of the comment at its top.
    """

    prefix: Identifier
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    remarks: Sequence[str] = ()


def c_header(code: Code, names: Names) -> str:
    """Return a C99 header with three functions.

    ``<name>_words`` takes one word for each input bit and gives one for each output bit, a sample
    in each bit of a word; ``<name>_batch`` and ``<name>_one`` take and give codes. Words are 512,
    256 or 64 bits, as the compiler's flags say.
    """
    n = names.prefix
    widest = max(p.format.bits + (not p.format.signed) for p in (*names.inputs, *names.outputs))
    fields = {
        "n": n,
        "features": len(names.inputs),
        "answers": len(names.outputs),
        "inputs": code.cone.n_inputs,
        "outputs": len(code.cone.outputs),
        "code": "int64_t" if widest > WIDE + 1 else "int32_t",
        "in_width": ", ".join(str(p.format.bits) for p in names.inputs),
        "out_width": ", ".join(str(p.format.bits) for p in names.outputs),
        "out_signed": ", ".join(str(int(p.format.signed)) for p in names.outputs),
        "rows_in": max(1, code.cone.n_inputs),
        "rows_out": max(1, len(code.cone.outputs)),
    }
    guard = f"NNLOGIC_{n}_H"
    lines = [f"/* {CommentText(names.remarks[0])}" if names.remarks else "/*"]
    lines += [f"   {CommentText(remark)}" for remark in names.remarks[1:]]
    lines += ["*/", f"#ifndef {guard}", f"#define {guard}", "", TOP.format(**fields)]
    for number in range(len(code.parts)):
        lines += [*_part(code, n, number), ""]
    undefined = [f"#undef {n}_{macro}" for macro in ("op", "in", "out")]
    lines += [*_words(code, n), "", CODES.format(**fields), *undefined, "#endif", ""]
    return "\n".join(lines)


def _part(code: Code, n: str, number: int) -> Iterator[str]:
    word = f"{n}_word"
    yield f"static void {n}_part{number}({MEMORY}, {word} *s) {{"
    yield "  (void)in, (void)is, (void)out, (void)os, (void)s;"
    cone = code.cone
    places: dict[int, list[int]] = {}
    for place, s in enumerate(cone.outputs):
        places.setdefault(s, []).append(place)

    def read(s: int) -> str:
        if s < cone.n_inputs:
            return f"{n}_in({s})"
        return f"n{s}" if code.part_of(s) == number else f"s[{code.stores[s]}]"

    for node in code.parts[number]:
        signal = cone.n_inputs + node
        fanin, table = cone.fanins[node], cone.tables[node]
        if not fanin:
            yield f"  {word} n{signal};"
            yield f"  memset(&n{signal}, {255 * table}, sizeof n{signal});"
        else:
            table = widened(table, len(fanin))
            operands = [read(s) for s in fanin]
            operands += operands[-1:] * (3 - len(operands))
            shown = dict(zip("abc", operands, strict=True))
            text = "".join(shown.get(c, c) for c in expressions()[table])
            values = ", ".join(operands)
            yield f"  const {word} n{signal} = {n}_op(0x{table:02X}, {values}, {text});"
        if signal in code.stores:
            yield f"  s[{code.stores[signal]}] = n{signal};"
        for place in places.get(signal, ()):
            yield f"  {n}_out({place}) = n{signal};"
    yield "}"


def _words(code: Code, n: str) -> Iterator[str]:
    slots = max(1, code.slots)
    step = f"in + w * {n}_lanes, is, out + w * {n}_lanes, os"
    yield f"/* Input bit i of word w stands at in + i * is + w * {n}_lanes, output bit i at"
    yield f"   out + i * os + w * {n}_lanes; `in` and `out` do not overlap. */"
    yield f"static inline void {n}_words({MEMORY}, size_t words) {{"
    yield f"  {n}_word s[{BLOCK}][{slots}];"
    yield "  (void)s;"
    yield f"  for (size_t first = 0; first < words; first += {BLOCK}) {{"
    yield f"    size_t last = first + {BLOCK} < words ? first + {BLOCK} : words, w;"
    for number in range(len(code.parts)):
        yield f"    for (w = first; w < last; w++) {n}_part{number}({step}, s[w - first]);"
    for place, s in enumerate(code.cone.outputs):
        if s < code.cone.n_inputs:
            yield "    for (w = first; w < last; w++)"
            yield f"      memcpy(out + {place} * os + w * {n}_lanes,"
            yield f"             in + {s} * is + w * {n}_lanes, sizeof({n}_word));"
    yield "  }"
    yield "}"
