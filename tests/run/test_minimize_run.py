"""Files in, files out: what is written is right, whole, and only written when it may be."""

from dataclasses import replace

import numpy as np
import pytest

from nnlogic.core.errors import Different, FormatError, InputError, ToolFailed, UsageError
from nnlogic.logic.cone import Cone
from nnlogic.logic.formats import encode, parse
from nnlogic.logic.formats.spec import Specification
from nnlogic.run import minimize_run
from nnlogic.run.minimize_run import minimize_files

ADDER = ["1001011001101001", "1110110010000000"]
PLA = ".i 4\n.o 2\n.ilb a b c d\n.ob f g\n.type fr\n0000 01\n1111 10\n1010 1~\n01-- ~0\n.e\n"
PARITY = Cone(
    20,
    (tuple(range(6)), tuple(range(6, 12)), tuple(range(12, 18)), (18, 19, 20, 21, 22)),
    (int("".join(str(i.bit_count() & 1) for i in range(63, -1, -1)), 2),) * 3
    + (int("".join(str(i.bit_count() & 1) for i in range(31, -1, -1)), 2),),
    (23,),
)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "t.truth").write_text("\n".join(ADDER))
    (tmp_path / "p.pla").write_text(PLA)
    names = tuple(f"x{i}" for i in range(20)), ("odd",)
    for suffix in (".blif", ".aag", ".aig"):
        (tmp_path / f"n{suffix[1:]}{suffix}").write_bytes(encode(suffix, "n", *names, PARITY))
    return tmp_path


def run(folder, *names, out, **options):
    options = {"effort": "fast", "jobs": 1, "cache_dir": folder / "cache", **options}
    return minimize_files([folder / n for n in names], folder / out, **options)


@pytest.mark.parametrize(
    ("name", "suffix", "how"),
    [
        ("t.truth", ".v", "exhaustive"),
        ("p.pla", ".aag", "exhaustive"),
        ("nblif.blif", ".v", "proved"),
        ("naag.aag", ".aig", "proved"),
        ("naig.aig", ".blif", "proved"),
    ],
)
def test_every_format_in_and_every_format_out(folder, name, suffix, how):
    [result] = run(folder, name, out=f"out{suffix}")
    assert result.how == how
    assert all(v.equal for v in result.checks)
    assert len(result.checks) == (3 if how == "proved" else 2)
    assert result.luts <= 4
    data = (folder / f"out{suffix}").read_bytes()
    if suffix != ".v":
        written = parse(data, "out", suffix)
        read = parse((folder / name).read_bytes(), name, (folder / name).suffix)
        assert (written.inputs, written.outputs) == (read.inputs, read.outputs)


def test_several_files_into_a_directory_whatever_the_jobs(folder):
    results = run(folder, "t.truth", "p.pla", "nblif.blif", out="many", jobs=2, kind="v")
    assert [r.out.name for r in results] == ["t.v", "p.v", "nblif.v"]
    first = [r.out.read_bytes() for r in results]
    again = run(folder, "t.truth", "p.pla", "nblif.blif", out="many", kind="v", force=True)
    assert [r.out.read_bytes() for r in again] == first
    assert sorted(p.name for p in (folder / "many").iterdir()) == ["nblif.v", "p.v", "t.v"]


def test_nothing_is_replaced_unless_forced(folder):
    (folder / "out.blif").write_text("mine")
    with pytest.raises(UsageError) as caught:
        run(folder, "t.truth", out="out.blif")
    assert [p.why for p in caught.value.problems] == ["exists"]
    assert (folder / "out.blif").read_text() == "mine"
    run(folder, "t.truth", out="out.blif", force=True)
    assert (folder / "out.blif").read_text() != "mine"
    with pytest.raises(UsageError, match="would replace its own input"):
        run(folder, "nblif.blif", out="nblif.blif", force=True)


@pytest.mark.parametrize(
    ("names", "out", "why"),
    [
        (["t.truth"], "out.sop", ".sop is not written"),
        (["t.truth"], "no/where/out.v", "no such directory"),
        (["t.truth"], "no/where/dir", "no such directory"),
        (["t.truth", "p.pla"], "out.v", "one file for several inputs"),
        (["t.truth", "t.truth"], "many", "several inputs would be written to it"),
        (["t.truth", "p.pla"], "t.truth", "a file, not a directory"),
        (["absent.pla", "cache", "x.txt"], "many", "no such file"),
    ],
)
def test_requests_that_make_no_sense(folder, names, out, why):
    with pytest.raises(UsageError, match="nothing was minimized") as caught:
        run(folder, *names, out=out)
    assert any(why in p.why for p in caught.value.problems)


def test_problems_of_all_files_come_before_any_work(folder):
    (folder / "a.truth").write_text("01a0")
    (folder / "b.blif").write_text(".latch a b\n")
    with pytest.raises(FormatError) as caught:
        run(folder, "a.truth", "t.truth", "b.blif", out="many")
    where = [p.where.removeprefix(f"{folder}/") for p in caught.value.problems]
    assert where == ["a.truth, line 1", "b.blif, line 1"]
    assert not (folder / "many").exists()


@pytest.mark.parametrize("suffix", [".blif", ".v", ".aag", ".aig"])
def test_a_fault_of_the_writer_is_caught_and_nothing_is_written(folder, monkeypatch, suffix):
    def faulty(suffix, name, inputs, outputs, cone):
        tables = (cone.tables[0] ^ 1, *cone.tables[1:])
        return encode(suffix, name, inputs, outputs, replace(cone, tables=tables))

    before = sorted(folder.iterdir())
    monkeypatch.setattr(minimize_run, "encode", faulty)
    with pytest.raises(Different, match="a check failed, nothing was written"):
        run(folder, "t.truth", out=f"out{suffix}", cache_dir=folder)
    left = {p for p in folder.iterdir() if p.name != "minimized"}
    assert left == set(before)


@pytest.mark.parametrize("name", ["t.truth", "naig.aig", "p.pla"])
def test_a_fault_of_the_minimizer_is_caught(folder, monkeypatch, name):
    good = minimize_run.minimize_specification

    def faulty(*args, **options):
        found = good(*args, **options)
        cone = found.cone
        wrong = Cone(
            cone.n_inputs,
            (*cone.fanins, (cone.outputs[0],)),
            (*cone.tables, 0b01),
            (cone.n_inputs + cone.n_nodes, *cone.outputs[1:]),
        )
        return replace(found, cone=wrong)

    monkeypatch.setattr(minimize_run, "minimize_specification", faulty)
    with pytest.raises(Different):
        run(folder, name, out="out.blif")
    assert not (folder / "out.blif").exists()


def test_a_fault_of_the_reader_is_caught(folder, monkeypatch):
    def faulty(data, where, suffix):
        spec = parse(data, where, suffix)
        fanins = ((0, 1, 2, 3, 4, 6), *PARITY.fanins[1:])
        return Specification(spec.name, spec.inputs, spec.outputs, replace(PARITY, fanins=fanins))

    monkeypatch.setattr(minimize_run, "parse", faulty)
    with pytest.raises(Different, match="as abc reads it differs from network read"):
        run(folder, "naig.aig", out="out.blif")


def test_an_input_that_abc_refuses_is_read_by_nnlogic_alone(folder, monkeypatch):
    def refuse(*_, **__):
        raise ToolFailed("abc failed")

    monkeypatch.setattr(minimize_run, "check_reading", refuse)
    [result] = run(folder, "naig.aig", out="out.blif")
    assert len(result.checks) == 2


def test_approximate_mode_tells_care_and_agreement(folder):
    rows = np.array([[0, 0, 0, 0]] * 3 + [[1, 1, 0, 0]] * 2 + [[1, 1, 1, 1]], bool)
    text = "# a b c d\n" + "".join("".join("01"[b] for b in row) + "\n" for row in rows.astype(int))
    (folder / "rows.txt").write_text(text)
    np.savez(folder / "rows.npz", X=rows.astype(np.int64))
    [exact] = run(folder, "t.truth", out="exact.blif", k=2)
    assert (exact.care, exact.rows, exact.agreement) == (None, None, None)
    for name in ("rows.txt", "rows.npz"):
        options = {"k": 2, "care": folder / name, "force": True}
        [free] = run(folder, "t.truth", out="free.blif", **options)
        assert (free.care, free.rows, free.agreement) == (3, 6, 100.0)
        assert free.luts < exact.luts
        [rare] = run(folder, "t.truth", out="rare.blif", rarity=2, **options)
        assert (rare.care, rare.rows) == (2, 6)
        assert rare.agreement >= 100 * 5 / 6 - 1e-9


def test_approximate_mode_of_a_wide_network(folder):
    rows = np.random.default_rng(0).random((30, 20)) < 0.5
    np.savez(folder / "rows.npz", X=rows)
    [result] = run(folder, "nblif.blif", out="out.v", care=folder / "rows.npz")
    assert (result.care, result.agreement) == (30, 100.0)
    assert result.checks[1].detail == "all 30 input combinations of 30 cubes"
    assert result.luts <= 4


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"0101\n01\n01x1\n", "2 characters for 4 inputs"),
        (b"# nothing\n", "no rows"),
        (b"PK\x03\x04 broken", "perhaps an Excel workbook"),
    ],
)
def test_patterns_that_are_wrong(folder, content, why):
    (folder / "rows").write_bytes(content)
    with pytest.raises((FormatError, InputError), match=why):
        run(folder, "t.truth", out="out.v", care=folder / "rows")


def test_pattern_arrays_that_are_wrong(folder):
    file = folder / "rows.npz"
    wrong = {
        "need .rows, 4": {"X": np.zeros((3, 5))},
        "row 1 holds": {"X": np.array([[0, 1, 0, 1], [2, 0, 0, 0]])},
        "at least one": {"X": np.zeros((0, 4))},
        "need an array X": {"y": np.zeros(3)},
    }
    for why, arrays in wrong.items():
        np.savez(file, **arrays)
        with pytest.raises((FormatError, InputError), match=why):
            run(folder, "t.truth", out="out.v", care=file)
    with pytest.raises(UsageError, match="no such file"):
        run(folder, "t.truth", out="out.v", care=folder / "absent")
    with pytest.raises(UsageError, match="--rarity needs --care"):
        run(folder, "t.truth", out="out.v", rarity=3)
