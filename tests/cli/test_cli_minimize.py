"""``nnlogic minimize`` as a user types it."""

import json
import subprocess
import sys

import pytest

TABLE = "1001011001101001\n1110110010000000\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.truth").write_text(TABLE)
    (tmp_path / "b.pla").write_text(".i 3\n.o 1\n111 1\n0-- -\n.e\n")
    return tmp_path


def test_one_file(nnlogic, folder):
    got = nnlogic("minimize", "a.truth", "-o", "a.v", "--effort", "fast", "-K", 4)
    assert got.code == 0, got.err
    assert got.err.startswith("nnlogic: minimizing a.truth to a.v\n")
    lines = dict(line.split(maxsplit=1) for line in got.out.splitlines()[:-1])
    assert got.out.startswith("a.truth -> a.v\n")
    assert (lines["ports"], lines["LUT4"], lines["depth"]) == ("4 inputs, 2 outputs", "2", "1")
    checked = "a.truth = network (exhaustive): 2 outputs on 16 of 16 input combinations"
    assert lines["checked"] == checked
    assert "network = .v as yosys reads it (exhaustive)" in got.out
    assert (folder / "a.v").read_text().startswith("module a(")


def test_several_files_make_a_table_with_a_sum(nnlogic, folder):
    got = nnlogic("minimize", "a.truth", "b.pla", "-o", "out", "--jobs", 1, "--format", "aag")
    assert got.code == 0, got.err
    table = [line.split() for line in got.out.splitlines()]
    assert table[0] == ["file", "in", "out", "LUT6", "depth", "seconds", "checked"]
    assert table[1][:5] + table[1][6:] == ["a.aag", "4", "2", "2", "1", "exhaustive"]
    assert table[2][:4] == ["b.aag", "3", "1", "1"]
    assert table[3][:5] == ["sum,", "mean", "depth", "3", "1.00"]
    again = nnlogic("minimize", "a.truth", "b.pla", "-o", "out", "--jobs", 1, "--force")
    assert "seconds*" in again.out
    assert "from the cache" in again.out


def test_json_is_the_only_thing_on_stdout(nnlogic, folder):
    (folder / "rows").write_text("0000\n1111\n1111\n")
    options = ("--care", "rows", "--rarity", 2, "--json", "--jobs", 1)
    got = nnlogic("minimize", "a.truth", "-o", "a.blif", *options)
    data = json.loads(got.out)
    [file] = data["files"]
    assert data["lut_size"] == 6
    assert (file["in"], file["out"], file["how"]) == ("a.truth", "a.blif", "exhaustive")
    assert (file["care"], file["rows"], file["luts"]) == (1, 3, 0)
    text = nnlogic("minimize", "a.truth", "-o", "a.blif", *options[:4], "--force").out
    assert "care      1 input combinations observed often enough" in text
    assert "% of the observed rows (sampled n=3)" in text


@pytest.mark.parametrize(
    ("name", "content", "code", "said"),
    [
        ("x.truth", "0110\n01x0\n", 3, "line 2  character 'x' at 3"),
        ("x.pla", ".i 2\n.o 1\n012 1\n", 3, "line 3  4 characters"),
        ("x.blif", ".model m\n.latch a b 0\n", 3, "line 2  .latch: only combinational logic"),
        ("x.aag", "aag 1 0 1 1 0\n2 3\n2\n", 3, "line 1  1 latches"),
        ("x.aig", "aig 1 1 0 1\n", 3, "line 1  the header needs five numbers"),
        ("x.txt", "01\n", 2, "nnlogic reads .truth"),
    ],
)
def test_broken_files(nnlogic, folder, name, content, code, said):
    (folder / name).write_text(content)
    got = nnlogic("minimize", name, "-o", "out.v")
    assert (got.code, got.out) == (code, "")
    assert said in got.err
    assert "Traceback" not in got.err
    assert not (folder / "out.v").exists()


def test_an_existing_file_is_kept(nnlogic, folder):
    (folder / "a.v").write_text("mine")
    got = nnlogic("minimize", "a.truth", "-o", "a.v")
    assert got.code == 2
    assert "--force replaces it" in got.err
    assert (folder / "a.v").read_text() == "mine"


def test_help_is_quick_and_an_interrupt_is_told(nnlogic, folder, monkeypatch):
    code = (
        "import sys; from nnlogic.cli.main import main\n"
        "code = main(['minimize', '--help'])\n"
        "print([m for m in ('numpy', 'numba', 'joblib', 'rich') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("[]\n")

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    from nnlogic.run import minimize_run

    monkeypatch.setattr(minimize_run, "minimize_files", interrupt)
    got = nnlogic("minimize", "a.truth", "-o", "a.v")
    assert (got.code, got.err.splitlines()[-1]) == (130, "Interrupted. Nothing was written.")
    got = nnlogic("minimize", "a.truth", "b.pla", "-o", "out")
    assert got.err.splitlines()[-1] == "Interrupted. Files that were finished are kept."
