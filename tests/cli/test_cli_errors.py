import errno
import json

import pytest

from nnlogic.core import errors
from nnlogic.core.errors import NNLogicError, Problem

COMPILE = ("compile", "net.safetensors", "-o", "run")

CODES = {
    "UsageError": 2,
    "InputError": 3,
    "CheckpointError": 3,
    "FormatError": 3,
    "UnsupportedModel": 3,
    "NotQuantized": 3,
    "TooWide": 3,
    "UnsafeVerilog": 3,
    "Different": 1,
    "ToolNotFound": 4,
    "ToolFailed": 5,
    "ToolTimeout": 5,
    "TargetMissed": 6,
    "IRError": 70,
}


def test_the_table_names_every_error_class():
    found = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, NNLogicError) and value is not NNLogicError
    }
    assert found == set(CODES)


@pytest.mark.parametrize(("name", "code"), CODES.items())
def test_each_error_class_has_its_exit_code_and_no_traceback(nnlogic, fake_run, name, code):
    cls = getattr(errors, name)
    fake_run.error = cls("it broke", where="fc1", why="2 > 1", fix="use less")
    got = nnlogic(*COMPILE)
    assert got.code == code
    assert f"{cls.code} it broke  (fc1)\n  2 > 1\n  fix: use less\n" in got.err
    assert "Traceback" not in got.err
    assert got.out == ""


def test_errors_as_json_with_all_problems(nnlogic, fake_run):
    problems = [Problem("fc1", "too wide", "prune"), Problem("fc2", "float")]
    fake_run.error = errors.UnsupportedModel("two layers", where="net.pt", problems=problems)
    got = nnlogic(*COMPILE, "--json")
    assert json.loads(got.out) == {
        "error": {
            "code": "NL302",
            "what": "two layers",
            "where": "net.pt",
            "why": "",
            "fix": "",
            "problems": [
                {"where": "fc1", "why": "too wide", "fix": "prune"},
                {"where": "fc2", "why": "float", "fix": ""},
            ],
            "exit_code": 3,
        }
    }
    assert "NL302" in got.err


def test_an_unexpected_error_is_called_a_bug(nnlogic, fake_run):
    fake_run.error = ZeroDivisionError("division by zero")
    got = nnlogic(*COMPILE)
    assert got.code == 70
    assert "this is a bug in nnlogic" in got.err
    assert "ZeroDivisionError" in got.err
    assert "--traceback" in got.err
    assert "Traceback" not in got.err


@pytest.mark.parametrize("place", ["before", "after"])
def test_traceback_on_request(nnlogic, fake_run, place):
    fake_run.error = ZeroDivisionError("division by zero")
    args = ("--traceback", *COMPILE) if place == "before" else (*COMPILE, "--traceback")
    got = nnlogic(*args)
    assert got.code == 70
    assert "Traceback (most recent call last)" in got.err


@pytest.mark.parametrize("verb", [COMPILE, ("verify", "run"), ("synth", "run")])
def test_interrupt_says_what_is_on_disk(nnlogic, fake_run, verb):
    fake_run.error = KeyboardInterrupt()
    got = nnlogic(*verb)
    assert got.code == 130
    said = "Nothing was written." if verb is COMPILE else "The report of the run was not changed."
    assert f"Interrupted. {said}" in got.err
    assert "Traceback" not in got.err


@pytest.mark.parametrize(
    "number", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.ENOTDIR, errno.EDQUOT]
)
def test_full_disk_and_read_only_folders_are_the_users_to_fix(nnlogic, fake_run, number):
    fake_run.error = OSError(number, "the reason", "/out/run")
    got = nnlogic(*COMPILE)
    assert got.code == 2
    assert "/out/run" in got.err
    assert "the reason" in got.err
    assert "fix:" in got.err


def test_other_system_errors_are_bugs(nnlogic, fake_run):
    fake_run.error = OSError(errno.ENOENT, "No such file", "inner")
    assert nnlogic(*COMPILE).code == 70


def test_out_of_memory(nnlogic, fake_run):
    fake_run.error = MemoryError("cannot allocate 8 GiB")
    got = nnlogic(*COMPILE)
    assert got.code == 2
    assert "out of memory" in got.err
    assert "cannot allocate 8 GiB" in got.err


@pytest.mark.parametrize(
    "args",
    [
        (),
        ("frobnicate",),
        ("compile",),
        ("compile", "net.safetensors"),
        (*COMPILE, "--clock", "0"),
        (*COMPILE, "--clock", "fast"),
        (*COMPILE, "--effort", "heroic"),
        (*COMPILE, "--jobs", "0"),
        (*COMPILE, "--no-such-option"),
        ("report", "/nonexistent/run"),
        ("synth",),
    ],
)
def test_wrong_usage_exits_with_2_and_starts_nothing(nnlogic, fake_run, args):
    got = nnlogic(*args)
    assert got.code == 2
    assert got.err
    assert fake_run.calls == []


def test_usage_errors_name_the_help(nnlogic):
    got = nnlogic("compile", "--json")
    assert "fix: see nnlogic compile --help" in got.err
    assert json.loads(got.out)["error"]["exit_code"] == 2


def test_control_characters_of_a_model_do_not_reach_the_terminal(nnlogic, fake_run):
    fake_run.error = errors.UnsupportedModel("layer", where="\x1b[2Jfc1", why="a\x07b")
    got = nnlogic(*COMPILE)
    assert "\x1b" not in got.err
    assert "\x07" not in got.err


def test_a_file_that_is_no_checkpoint(nnlogic, tmp_path):
    for content in (b"", b"not a checkpoint", b"\x10\x00\x00\x00\x00\x00\x00\x00{"):
        file = tmp_path / "net.safetensors"
        file.write_bytes(content)
        got = nnlogic("inspect", file)
        assert got.code == 3
        assert got.err.startswith("NL2")


@pytest.mark.parametrize(
    ("module", "code", "said"),
    [("torch.nn", 4, "nnlogic[train]"), ("cocotb", 4, "nnlogic[flow]"), ("nnlogic.x", 70, "bug")],
)
def test_a_missing_extra_names_its_cure(nnlogic, fake_run, module, code, said):
    fake_run.error = ModuleNotFoundError(f"No module named {module!r}", name=module)
    got = nnlogic(*COMPILE)
    assert got.code == code
    assert said in got.err
