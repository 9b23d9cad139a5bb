"""Verilog is checked before a program reads it: it must describe a circuit, and do nothing else.

Simulators and compilers run what stands in their sources: system tasks call the shell and write
files, directives read any file, ``bind`` and ``import`` reach into what was not given. Files of a
run may have been edited since they were written, and imported files come from anywhere, so what is
allowed is listed here and all else is refused, before the first tool starts.

nnlogic's own benches use system tasks; they are written at the moment they run, and never checked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

from nnlogic.core.errors import Problem, UnsafeVerilog
from nnlogic.core.inert import visible
from nnlogic.core.names import KEYWORDS, unique_identifiers

_ALLOWED_WORDS = """
module endmodule input output inout wire reg logic supply0 supply1 signed unsigned integer genvar
parameter localparam bit byte shortint int longint assign always always_comb always_ff always_latch
posedge negedge initial begin end if else case casez casex endcase default unique unique0 priority
for generate endgenerate function endfunction automatic return and nand or nor xor xnor not buf
"""
ALLOWED_WORDS = frozenset(_ALLOWED_WORDS.split())
ALLOWED_CALLS = frozenset({"$signed", "$unsigned", "$clog2", "$bits"})
ALLOWED_DIRECTIVES = frozenset(
    {"timescale", "default_nettype", "resetall", "celldefine", "endcelldefine"}
)
_ALLOWED_ATTRIBUTES = """
abc9_box abc9_carry abc9_flop abc9_lut abc9_required always_ff always_comb async_reg blackbox
bram_style cells_not_processed clkbuf_driver clkbuf_sink clkbuf_inhibit dont_touch dynports
equivalent_register_removal extract_reset fsm_encoding full_case hdlname init iopad_external_pin
iob is_inferred keep keep_hierarchy lib_whitebox max_fanout mark_debug module_not_derived nomem2reg
mem2reg no_rw_check parallel_case preserve ram_block ram_decomp ram_style ramstyle reg_init retiming
rom_block rom_style romstyle shreg_extract single_bit_vector src syn_encoding syn_keep syn_noprune
syn_preserve syn_ramstyle syn_romstyle top unused_bits use_dsp use_dsp48 whitebox x_interface_info
x_interface_parameter xilinx_legacyprim
"""
ALLOWED_ATTRIBUTES = frozenset(_ALLOWED_ATTRIBUTES.split())
# Comments that change what a tool reads: no two tools would see the same circuit.
OBEYED = re.compile(
    r"\s*(?:verilator\b(?!\s+lint_o)|\w+\s+(?:translate_o|synthesis_o|full_case|parallel_case))",
    re.I,
)
MOST = 20
MARK = b"\xef\xbb\xbf"

_TOKENS = re.compile(
    rb"(?P<comment>//[^\n]*|/\*.*?\*/)|(?P<string>\"[^\"\\\n`]*\"(?!\"))|(?P<escaped>\\[^\s]*)"
    rb"|(?P<words>\$readmem[bh]\s*\(\s*\"(?P<file>[A-Za-z0-9_][\w.-]*)\"\s*,\s*[A-Za-z_]\w*\s*\))"
    rb"|(?P<attribute>\(\*(?!\s*\))(?:\"[^\"\n]*\"|[^\"])*?\*\))",
    re.DOTALL,
)
_PAIR = r"\s*(\w+)\s*(?:=\s*(?:\"[^\"\\\n`]*\"|-?[\w']+)\s*)?"
_ATTRIBUTE = re.compile(rf"\(\*{_PAIR}(?:,{_PAIR})*\*\)")
_NAME = re.compile(r"[,*]\s*(\w+)")
_QUOTED = re.compile(r"\"[^\"]*\"")
# Numbers are taken as tools take them, for in ``#1force`` or ``'h a$stop`` a word follows one.
_WORD = re.compile(
    rb"'[sS]?[dDbBoO]\s*[\dxXzZ?_]+|'[sS]?[hH]\s*[\da-fA-FxXzZ?_]+|\d[\d_]*|([A-Za-z_]\w*)"
)
_ODD = re.compile(rb"[^\t\n\r -~]|\r(?!\n)")
_UNCLEAR = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]|\\$")
_CALL = re.compile(rb"\$\w*")
_DIRECTIVE = re.compile(rb"`(\w*)[^\n]*")
_LEFT = re.compile(rb"[\"\\]|/\*|\*/|\(\*(?!\s*\))")
_INSIDE = re.compile(r"[`\"]|//|/\*|\*/|\(\*|\*\)")

_CODE = "write it as plain Verilog: modules, tables, wires, registers"


Edit = Callable[[bytes], bytes]


def check_sources(
    files: Sequence[Path], edit: Edit | None = None, words: Collection[str] = ()
) -> None:
    """Raise unless every file is a circuit and nothing else.

    Allowed are Verilog's words for circuits (`ALLOWED_WORDS`), functions on constants
    (`ALLOWED_CALLS`), and a few directives and attributes that only inform; no system tasks, no
    other directive, no ``include``, ``bind``, ``import`` or ``force``, no comment that a tool
    obeys, no character that tools may read differently from each other.

    Parameters
    ----------
    files : sequence of Path
    edit : callable, optional
        What is done to a file before a tool reads it; the result is what is checked.
    words : collection of str
        Names of files beside the source that ``$readmemh`` and ``$readmemb`` may read.

    Raises
    ------
    UnsafeVerilog
        With file and line of what is refused.
    """
    _refuse(files, [_edited(Path(file).read_bytes(), edit) for file in files], words)


def _edited(data: bytes, edit: Edit | None) -> bytes:
    data = data.removeprefix(MARK)
    return edit(data) if edit else data


def _refuse(files: Sequence[Path], contents: Sequence[bytes], words: Collection[str] = ()) -> None:
    pairs = zip(files, contents, strict=True)
    problems = [p for file, data in pairs for p in find_unsafe(file.name, data, words)]
    if problems:
        left = len(problems) - MOST
        more = [Problem("...", f"{left} more problems")] if left > 0 else []
        raise UnsafeVerilog(
            "Verilog that does more than describe a circuit is not given to any tool",
            where=visible(files[0].parent),
            problems=[*problems[:MOST], *more],
        )


def checked_copies(
    files: Sequence[Path],
    folder: Path,
    own: Sequence[bytes] = (),
    edit: Edit | None = None,
    words: Sequence[Path] = (),
) -> list[Path]:
    """Check files and return copies below `folder`: what was checked is what a tool then reads.

    The copies have the names of the files, made plain, and no byte order mark.

    Parameters
    ----------
    files : sequence of Path
    folder : Path
        Made when missing.
    own : sequence of bytes
        Contents that are nnlogic's own models and need no check: equal to the byte.
    edit : callable, optional
        As for `check_sources`.
    words : sequence of Path
        Files of words that the sources may load; copied beside them.

    Raises
    ------
    UnsafeVerilog
        As `check_sources`; a file of words that is no text.
    """
    contents = [_edited(Path(file).read_bytes(), edit) for file in files]
    foreign = [(f, data) for f, data in zip(files, contents, strict=True) if data not in own]
    _refuse([f for f, _ in foreign], [data for _, data in foreign], [f.name for f in words])
    loaded = [Path(file).read_bytes() for file in words]
    for file, data in zip(words, loaded, strict=True):
        if _ODD.search(data):
            why = "a file of words with characters that are no ASCII text"
            raise UnsafeVerilog(why, where=visible(file))
    folder.mkdir(parents=True, exist_ok=True)
    names = unique_identifiers(Path(file).stem for file in files)
    copies = [folder / f"{name}.v" for name in names]
    for copy, content in zip(copies, contents, strict=True):
        copy.write_bytes(content)
    for file, data in zip(words, loaded, strict=True):
        (folder / file.name).write_bytes(data)
    return copies


def find_unsafe(name: str, data: bytes, words: Collection[str] = ()) -> list[Problem]:
    """Return what is not allowed in a Verilog file, in order of its lines.

    Parameters
    ----------
    name : str
        Of the file, for messages.
    data : bytes
        Its content.
    words : collection of str
        Names of files that it may load words from.
    """
    data = data.removeprefix(MARK)
    found: list[tuple[int, str, str]] = []

    def blank(match: re.Match[bytes]) -> bytes:
        if match["words"] is None or match["file"].decode() not in words:
            found.extend((match.start(), why, fix) for why, fix in _token(match))
        return re.sub(rb"[^\n]", b" ", match[0])

    found += _code(_TOKENS.sub(blank, data))
    problems = []
    for at, why, fix in sorted(found):
        line = data.count(b"\n", 0, at) + 1
        problems.append(Problem(f"{visible(name)}:{line}", visible(why), fix))
    return problems


def _token(match: re.Match[bytes]) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with a comment, string, escaped identifier or attribute, and a fix."""
    text = match[0].decode("latin-1")
    if match["comment"] is not None:
        if _UNCLEAR.search(text.replace("\r\n", "\n").removesuffix("\r").replace("\n", " ")):
            yield "a comment with a control character or a backslash at its end", "remove it"
        if OBEYED.match(text, 2):
            yield f"a comment that tools obey: {text[2:].strip()[:40]}", "remove it"
    elif match["attribute"] is not None:
        names = set(_NAME.findall(_QUOTED.sub('""', text).lower()))
        if not _ATTRIBUTE.fullmatch(text) or not names <= ALLOWED_ATTRIBUTES:
            unknown = ", ".join(sorted(names - ALLOWED_ATTRIBUTES)) or text[:40]
            yield f"attribute {unknown}", "remove it; known harmless attributes may stay"
    elif match["words"] is not None:
        yield f"system task or function {text.partition('(')[0].strip()}", _CODE
    elif match["escaped"] is not None:
        body = text[1:]
        if not body or not body.isascii() or not body.isprintable() or _INSIDE.search(body):
            yield f"escaped identifier {text[:40]}", "rename it"
    elif not (text.isascii() and text.isprintable()):
        yield "a string with characters that do not print", "remove it"


def _code(code: bytes) -> Iterator[tuple[int, str, str]]:
    """Yield offset, what is wrong and a fix, in Verilog without the tokens of `_token`."""
    for odd in _ODD.finditer(code):
        yield odd.start(), f"character {odd[0]!r} outside of comments", "remove it"
    for directive in _DIRECTIVE.finditer(code):
        word = directive[1].decode()
        if word not in ALLOWED_DIRECTIVES or b"`" in directive[0][1:]:
            fix = "run the preprocessor first, for instance: verilator -E or iverilog -E"
            yield directive.start(), f"compiler directive `{word}", fix
    for call in _CALL.finditer(code):
        if call[0].decode() not in ALLOWED_CALLS:
            yield call.start(), f"system task or function {call[0].decode()}", _CODE
    for left in _LEFT.finditer(code):
        yield left.start(), f"{left[0].decode()} that has no other end", _CODE
    if _REFUSED & set(_WORD.findall(code)):
        for word in _WORD.finditer(code):
            if word[1] in _REFUSED:
                yield word.start(), f"keyword {word[0].decode()}", _CODE


_REFUSED = frozenset(word.encode() for word in KEYWORDS - ALLOWED_WORDS)
