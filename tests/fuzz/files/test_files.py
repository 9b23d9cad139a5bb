"""The fuzzer of files in short; what it found before; and that it finds planted faults."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from . import codecs, corpus, texts, trees
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
    done = run("tests.fuzz", "files", "--count", 150, "--seed", 13, "--keep", keep)
    assert "150 broken files, 0 ended badly" in done.stdout, done.stdout + done.stderr


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


@pytest.mark.parametrize("mutate", [*texts.RAW, *texts.TEXT])
@pytest.mark.parametrize("data", [b"", b"x", corpus.PLA])
def test_mutations_of_text_give_bytes_and_words(mutate, data):
    changed = 0
    for seed in range(40):
        made, what = mutate(random.Random(seed), data)
        assert isinstance(made, bytes)
        assert what
        changed += made != data
    assert changed or not data


def test_an_archive_stays_one_when_its_tree_is_changed(tmp_path):
    corpus.checkpoint(tmp_path / "net")
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
