"""Objects of Verilator's runtime are kept, and believed only as long as nothing changed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from nnlogic.tools import objects, objects_process

COMPILER = """#!/bin/sh
echo "$@" >> {calls}
for word; do last=$word; done
[ ! -e broken ] || exit 7
while [ "$1" != -o ]; do shift; done
{{ echo object; cat "$last"; }} > "$2"
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A runtime and a compiler that counts."""
    monkeypatch.chdir(tmp_path)
    for name in ("CACHE", "STATE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    monkeypatch.delenv("OBJCACHE", raising=False)
    runtime(tmp_path / "runtime")
    compiler = tmp_path / "cxx"
    compiler.write_text(COMPILER.format(calls=tmp_path / "calls"))
    compiler.chmod(0o755)
    return tmp_path


def runtime(folder):
    folder.mkdir()
    (folder / "verilated.h").write_text("header")
    (folder / "verilated.cpp").write_text("source")
    (folder / "bench.cpp").write_text("bench")


def compiled(place, *flags, source="runtime/verilated.cpp", status=0):
    """Compile as make does; return how often the compiler ran for it."""
    made = place / "made.o"
    made.unlink(missing_ok=True)
    before = calls(place)
    path = place / source
    prefix = objects.compiling()["OBJCACHE"].split()
    command = [*prefix, "./cxx", *flags, f"-I{path.parent}", "-c", "-o", "made.o", str(path)]
    done = subprocess.run(command, env={**os.environ, **objects.compiling()}, check=False)
    assert done.returncode == status
    if not status:
        assert made.read_text() == f"object\n{path.read_text()}"
    return calls(place) - before


def calls(place):
    return len((place / "calls").read_text().splitlines()) if (place / "calls").exists() else 0


def kept(place):
    return sorted((place / "cache" / "nnlogic" / "objects").glob("*.o"))


def test_an_object_is_compiled_once(place):
    assert [compiled(place), compiled(place)] == [1, 0]
    runtime(place / "elsewhere")
    assert compiled(place, source="elsewhere/verilated.cpp") == 0
    assert len(kept(place)) == 1


@pytest.mark.parametrize("name", ["verilated.h", "verilated.cpp"])
def test_another_runtime_is_compiled_anew(place, name):
    compiled(place)
    (place / "runtime" / name).write_text("other")
    assert [compiled(place), compiled(place)] == [1, 0]


def test_other_flags_and_another_compiler_are_others(place, monkeypatch):
    compiled(place)
    assert [compiled(place, "-O2"), compiled(place, "-O2")] == [1, 0]
    monkeypatch.setenv("CPATH", str(place))
    assert [compiled(place), compiled(place)] == [1, 0]
    with (place / "cxx").open("a") as file:
        file.write("# newer\n")
    assert [compiled(place), compiled(place)] == [1, 0]


@pytest.mark.parametrize("at", [0, objects_process.SIGNED, -2])
def test_an_object_that_was_changed_is_not_believed(place, at):
    compiled(place)
    [entry] = kept(place)
    data = bytearray(entry.read_bytes())
    data[at] ^= 1
    entry.write_bytes(data)
    assert [compiled(place), compiled(place)] == [1, 0]


def test_an_object_under_the_name_of_another_is_not_believed(place):
    compiled(place)
    [entry] = kept(place)
    compiled(place, "-O2")
    [other] = [path for path in kept(place) if path != entry]
    other.write_bytes(entry.read_bytes())
    assert compiled(place, "-O2") == 1


def test_an_object_of_another_key_is_not_believed(place):
    compiled(place)
    (place / "state" / "nnlogic" / "seal.key").unlink()
    assert [compiled(place), compiled(place)] == [1, 0]


def test_nothing_else_is_kept(place):
    for _ in range(2):
        assert compiled(place, source="runtime/bench.cpp") == 1
    (place / "broken").touch()
    assert compiled(place, status=7) == 1
    assert not kept(place)


def test_a_compiler_that_is_missing_is_named(place):
    (place / "cxx").unlink()
    prefix = objects.compiling()["OBJCACHE"].split()
    command = [*prefix, "./cxx", "-c", "-o", "made.o", str(place / "runtime/verilated.cpp")]
    env = {**os.environ, **objects.compiling()}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (127, "./cxx: No such file or directory\n")


def test_a_folder_that_cannot_be_written_costs_time_only(place):
    (place / "cache").write_text("a file")
    assert [compiled(place), compiled(place)] == [1, 1]


def test_where_nothing_is_kept(place, monkeypatch):
    assert set(objects.compiling()) == {"OBJCACHE", objects_process.FOLDER, objects_process.KEY}
    monkeypatch.setenv("OBJCACHE", "ccache")
    assert objects.compiling() == {}
    monkeypatch.delenv("OBJCACHE")
    monkeypatch.setattr(sys, "executable", "/a b/python")
    assert objects.compiling() == {}
    monkeypatch.setattr(sys, "executable", "/usr/bin/python3")
    (place / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(place / "file"))
    assert objects.compiling() == {}


def test_the_key_of_objects_is_not_the_users(place):
    told = objects.compiling()[objects_process.KEY]
    assert bytes.fromhex(told) != Path(place / "state/nnlogic/seal.key").read_bytes()
