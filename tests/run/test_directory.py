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
