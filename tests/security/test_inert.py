"""The encoders of each sink: what comes out cannot leave its place."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hostile import payloads, unprintable
from hypothesis import given
from hypothesis import strategies as st

from nnlogic.core.errors import IRError, UsageError
from nnlogic.core.inert import (
    CommentText,
    EdifText,
    ShellWord,
    TclWord,
    YosysWord,
    printed,
    visible,
)
from nnlogic.core.names import KEYWORDS, Identifier, identifier
from nnlogic.hw.header import comment_block, header

ANY = st.text() | st.text(alphabet="\n\r\\/*`\"'$[]{}; a\u2028\u202e\x85")
HOSTILE = payloads(Path("/tmp/canary"))
# No argument of a program can hold these two.
ARGUMENTS = [text for text in HOSTILE if not {"\x00", "\ud800"} & set(text)]


@given(ANY)
def test_visible_text_is_one_printing_line(text):
    out = visible(text)
    assert out.isprintable()
    assert len(printed([text, text]).splitlines()) == 2
    assert visible(out) == out


def test_what_prints_stays():
    text = "feature 1: Temperatur in °C, 温度, x[3] (u4) 100 %"
    assert visible(text) == text == CommentText(text)
    assert visible("a\nb") == "a<U+000A>b"


@given(ANY)
def test_a_comment_is_one_line_without_ends(text):
    out = CommentText(text)
    assert out.isprintable()
    assert not {"\\", "`"} & set(out)
    assert "*/" not in out
    assert "/*" not in out
    assert CommentText(out) is out


@pytest.mark.parametrize("text", ["verilator public", " synopsys translate_off", "Synthesis x"])
def test_a_comment_is_no_instruction(text):
    assert CommentText(text).lstrip().startswith("<U+")
    assert CommentText(f"class {text}") == f"class {text}"


@given(ANY)
def test_a_string_of_edif_has_no_end_in_it(text):
    out = EdifText(text)
    assert out.isascii()
    assert out.isprintable() or not out
    assert not {'"', "%"} & set(out)


def test_a_header_takes_nothing_but_comment_text():
    assert header(Identifier("m"), [CommentText("a\nb")]).endswith("//\n// a<U+000A>b\n\n")
    with pytest.raises(TypeError, match="CommentText"):
        comment_block(["plain"])
    with pytest.raises(IRError):
        header("m;", [])


@given(ANY)
def test_an_identifier_is_plain(text):
    name = identifier(text)
    assert name.isascii()
    assert name.isidentifier()
    assert name not in KEYWORDS
    assert Identifier(name) == name


@pytest.mark.parametrize("text", ["", "1a", "a b", "a\n", "bind", "module", "a-b", "é", "a;b"])
def test_what_is_no_identifier_is_refused(text):
    with pytest.raises(IRError, match="not a name for a generated file"):
        Identifier(text)


@pytest.mark.parametrize("text", [*ARGUMENTS, "plain.v", "-rf", ""])
def test_a_shell_word_is_its_text_and_nothing_else(text):
    shell = shutil.which("bash")
    assert shell is not None
    script = f"printf %s {ShellWord(text)}"
    assert not unprintable(script)
    env = {**os.environ, "LC_ALL": "C.UTF-8"}
    out = subprocess.run([shell, "-c", script], capture_output=True, check=True, env=env).stdout
    assert out.decode() == text


def test_a_file_is_no_option():
    assert ShellWord.of_file(Path("x/-o")) == "./-o"
    assert ShellWord.of_file(Path("x/a;b.v")) == "'a;b.v'"


@pytest.mark.parametrize("text", [*HOSTILE, "plain", "a{b", "a}b"])
def test_a_tcl_word_is_its_text_and_nothing_else(text):
    found = pytest.importorskip("tkinter").Tcl().eval(f"set x {TclWord(text)}")
    assert found == visible(text)


@pytest.mark.parametrize("text", ['a"b.v', "a\nb", "a;b", "a\\b", "a\u2028b"])
def test_yosys_is_given_no_path_it_would_split(text):
    with pytest.raises(UsageError, match="cannot be given to yosys"):
        YosysWord(text)
    assert YosysWord("../rtl/my net.v") == '"../rtl/my net.v"'
