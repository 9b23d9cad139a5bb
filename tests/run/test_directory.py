import os
import signal
import subprocess
import sys
import textwrap

import pytest

from nnlogic.core.errors import UsageError
from nnlogic.job.directory import reopened_run, set_status, staged_run


def names(folder):
    return sorted(p.name for p in folder.iterdir())


def test_a_run_appears_whole_or_not_at_all(tmp_path):
    out = tmp_path / "run"
    with staged_run(out, force=False) as folder:
        assert not out.exists()
        (folder / "report.json").write_text("{}")
        set_status(folder, "compiled")
    assert (out / "STATUS").read_text() == "compiled\n"
    assert names(tmp_path) == ["run"]
    with pytest.raises(ZeroDivisionError), staged_run(tmp_path / "other", force=False):
        _ = 1 / 0
    assert names(tmp_path) == ["run"]


def test_existing_runs_need_force(tmp_path):
    out = tmp_path / "run"
    with staged_run(out, force=False) as folder:
        set_status(folder, "compiled")
    with (
        pytest.raises(UsageError, match="its STATUS is 'compiled'"),
        staged_run(out, force=False),
    ):
        pass
    with staged_run(out, force=True) as folder:
        (folder / "new").touch()
    assert (out / "new").exists()


def test_force_never_replaces_what_nnlogic_did_not_write(tmp_path):
    precious = tmp_path / "thesis"
    precious.mkdir()
    (precious / "chapter1.tex").write_text("It was a dark and stormy night")
    with pytest.raises(UsageError, match="not a run directory"), staged_run(precious, force=True):
        pass
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError), staged_run(tmp_path / "file", force=True):
        pass
    assert names(precious) == ["chapter1.tex"]


def test_failed_replacement_keeps_the_old_run(tmp_path):
    out = tmp_path / "run"
    with staged_run(out, force=False) as folder:
        set_status(folder, "compiled")
    with pytest.raises(ZeroDivisionError), staged_run(out, force=True):
        _ = 1 / 0
    assert (out / "STATUS").read_text() == "compiled\n"
    assert names(tmp_path) == ["run"]


def test_unwritable_places_are_one_clear_error(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(UsageError, match="cannot write"), staged_run(blocked / "run", force=False):
        pass


def test_work_in_a_run_never_leaves_a_stale_verdict(tmp_path):
    from nnlogic.report.model import Report

    out = tmp_path / "run"
    with staged_run(out, force=False) as folder:
        Report("r", "0").save(folder / "report.json")
        set_status(folder, "verified")

    def work():
        with reopened_run(out):
            assert (out / "STATUS").read_text() == "running\n"
            return 1 / 0

    with pytest.raises(ZeroDivisionError):
        work()
    assert (out / "STATUS").read_text() == "error\n"
    with pytest.raises(UsageError, match="no such directory"), reopened_run(tmp_path / "none"):
        pass


def test_a_killed_run_claims_nothing_and_a_rerun_works(tmp_path):
    script = textwrap.dedent(
        """
        import pathlib, sys, time
        from nnlogic.job.directory import staged_run
        with staged_run(pathlib.Path(sys.argv[1]), force=False):
            print("ready", flush=True)
            time.sleep(60)
        """
    )
    out = tmp_path / "run"
    command = [sys.executable, "-c", script, str(out)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"ready\n"
        os.kill(process.pid, signal.SIGKILL)
    assert not out.exists()
    (leftover,) = tmp_path.iterdir()
    assert (leftover / "STATUS").read_text() == "running\n"
    with staged_run(out, force=False) as folder:
        set_status(folder, "compiled")
    assert names(tmp_path) == ["run"]


WAIT = """
import pathlib, sys
from nnlogic.job.directory import reopened_run, staged_run
how, out = sys.argv[1], pathlib.Path(sys.argv[2])
with staged_run(out, force=True) if how == "compile" else reopened_run(out):
    print("ready", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def another():
    """Start a command of another process, which works in a place until it is told to end."""
    started = []

    def start(how, out):
        pipe = subprocess.PIPE
        process = subprocess.Popen(
            [sys.executable, "-c", WAIT, how, str(out)], stdin=pipe, stdout=pipe
        )
        assert process.stdout.readline() == b"ready\n"
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def a_run(out):
    from nnlogic.report.model import Report

    with staged_run(out, force=False) as folder:
        Report("r", "0").save(folder / "report.json")
        set_status(folder, "verified")
    return out


def work(how, out):
    with staged_run(out, force=True) if how == "compile" else reopened_run(out):
        pass


@pytest.mark.parametrize("second", ["compile", "verify"])
@pytest.mark.parametrize("first", ["compile", "verify"])
def test_two_commands_never_work_in_one_run(tmp_path, another, first, second):
    out = a_run(tmp_path / "run")
    process = another(first, out)
    with pytest.raises(UsageError, match="another command works there") as refused:
        work(second, out)
    assert refused.value.exit_code == 2
    assert str(process.pid) in refused.value.why
    process.communicate(b"\n")
    work("compile", out)
    assert names(tmp_path) == ["run"]


def test_two_compilations_of_one_new_run(tmp_path, another):
    process = another("compile", tmp_path / "run")
    with pytest.raises(UsageError, match="another command works there"):
        work("compile", tmp_path / "run")
    work("compile", tmp_path / "other")
    process.communicate(b"\n")
    assert names(tmp_path) == ["other", "run"]


@pytest.mark.parametrize("how", ["compile", "verify"])
def test_a_lock_ends_with_its_process(tmp_path, another, how):
    out = a_run(tmp_path / "run")
    process = another(how, out)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    work("verify", out)
    work("compile", out)
    assert names(tmp_path) == ["run"]


def test_readers_of_a_run_share_it_and_writers_wait(tmp_path):
    from nnlogic.core.lock import locked

    out = a_run(tmp_path / "run")
    with (
        locked(out, out, shared=True),
        locked(out, out, shared=True),
        pytest.raises(UsageError, match="another command"),
        reopened_run(out),
    ):
        pass
    work("verify", out)
