"""The fuzzer of files in short; what it found before; and that it finds planted faults."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nnlogic.data.tabular.format import HEAD
from nnlogic.data.tabular.format import formats as tables
from nnlogic.frontend.registry import formats as importers
from nnlogic.frontend.registry import recognize

from . import codecs, corpus, texts, trees
from .formats import formats, logic, native
from .values import Nested

ROOT = Path(__file__).parents[3]
FINDS = Path(__file__).parent / "finds"
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def run(*args):
    """Run a part of the fuzzer in a process of its own, which has no threads and can be forked."""
    argv = [sys.executable, "-m", *map(str, args)]
    env = {**os.environ, **ONE_THREAD}
    return subprocess.run(argv, cwd=ROOT, env=env, capture_output=True, text=True, timeout=900)


def test_no_broken_file_ends_badly(tmp_path):
    keep = tmp_path / "keep"
    done = run("tests.fuzz", "files", "--count", 60, "--seed", 13, "--keep", keep)
    assert "60 broken files, 0 ended badly" in done.stdout, done.stdout + done.stderr


def test_what_was_found_stays_mended():
    done = run("tests.fuzz", "files", "--replay", FINDS)
    assert "nothing found" in done.stdout, done.stdout + done.stderr


def test_every_planted_fault_is_found():
    done = run("tests.fuzz.files.plants")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found.pop("read") is None
    assert found.pop("refuse") is None
    assert found["key_error"].startswith("exit 70: KeyError, plants.py:")
    assert found["hang"] == found["sleep"] == "hang"
    assert found["eat"] == found["eat_and_refuse"] == "memory"
    assert "RuntimeWarning: invalid value encountered in cast" in found["warn"]
    assert found["crash"] == "dies of SIGSEGV"
    assert found["nameless"].startswith("the message does not name the file")


@pytest.fixture(scope="module")
def right_files(tmp_path_factory):
    """A folder for each right file of every format, with what belongs beside it; by format."""
    folder = tmp_path_factory.mktemp("right")
    corpus.make(folder / "made")
    for make in dict.fromkeys(fmt.make for fmt in formats().values()):
        make(folder / "made")
    found = []
    for fmt in formats().values():
        for number, data in enumerate(fmt.right(folder / "made")):
            case = folder / f"{fmt.name}{number}"
            case.mkdir()
            fmt.around(folder / "made", case)
            path = case / fmt.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            found.append((fmt, path))
    return found


def importers_of(right_files):
    """The importers that recognize right files which are given to a command for networks."""
    return {
        recognize(path).name
        for fmt, path in right_files
        if any(command.argv[:2] in (("inspect", fmt.file), ("compile", fmt.file))
               for command in fmt.commands)
    }  # fmt: skip


def tables_of(right_files):
    """The formats of rows that recognize right files which are given as rows."""
    return {
        next(table.name for table in tables() if table.sniff(path.read_bytes()[:HEAD], path))
        for fmt, path in right_files
        if any("--rows" in command.argv for command in fmt.commands)
    }


def test_every_importer_is_given_broken_files(right_files):
    assert importers_of(right_files) == set(importers())


def test_every_format_of_rows_is_given_broken_files(right_files):
    # Frames are of Python, and no files.
    assert tables_of(right_files) == {table.name for table in tables()} - {"pandas frames"}


def test_an_importer_without_broken_files_is_noticed(right_files):
    others = [(fmt, path) for fmt, path in right_files if fmt.name != "lightgbm"]
    assert set(importers()) - importers_of(others) == {"lightgbm"}
    others = [(fmt, path) for fmt, path in right_files if fmt.name != "rows-parquet"]
    assert "Parquet" not in tables_of(others)


@pytest.mark.parametrize("mutate", [*texts.RAW, *texts.TEXT])
@pytest.mark.parametrize("data", [b"", b"x", logic.PLA])
def test_mutations_of_text_give_bytes_and_words(mutate, data):
    changed = 0
    for seed in range(40):
        made, what = mutate(random.Random(seed), data)
        assert isinstance(made, bytes)
        assert what
        changed += made != data
    assert changed or not data


def test_an_archive_stays_one_when_its_tree_is_changed(tmp_path):
    native.checkpoint(tmp_path / "net")
    data = (tmp_path / "net").read_bytes()
    tree = codecs.ARCHIVE.decode(data)
    again = codecs.ARCHIVE.decode(codecs.ARCHIVE.encode(tree))
    assert again["meta"] == tree["meta"]
    assert all(np.array_equal(again["arrays"][n], a) for n, a in tree["arrays"].items())
    header = codecs.HEADER.decode(data)
    assert codecs.HEADER.decode(codecs.HEADER.encode(header)) == header
    changes = {trees.mutated(random.Random(seed), tree)[1] for seed in range(200)}
    assert len(changes) > 100


def test_nesting_is_written_without_recursion():
    assert codecs.json_bytes({"a": Nested(3), "b": 1}) == b'{"a": [[[]]], "b": 1}'
    assert (
        codecs.toml_bytes({"a": Nested(2), "b": {"c": 1.5}}) == b'"a" = [[]]\n"b" = {"c" = 1.5}\n'
    )
    assert len(codecs.json_bytes(Nested(100_000))) == 200_000
