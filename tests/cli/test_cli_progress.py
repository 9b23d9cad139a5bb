import io
import logging
from itertools import count

import pytest
from rich.console import Console

from nnlogic.cli import progress
from nnlogic.cli.progress import LiveProgress, PlainProgress, open_progress


def test_plain_lines_when_stderr_is_no_terminal(nnlogic, fake_run):
    got = nnlogic("verify", "run")
    lines = got.err.splitlines()
    assert lines[:2] == ["nnlogic: verifying run", "work (2) ..."]
    assert lines[2].startswith("work: done in ")
    assert "\x1b" not in got.err
    assert "work:" not in got.out


def test_plain_lines_are_rate_limited(capsys, monkeypatch):
    clock = count()
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock) * 0.25)
    with PlainProgress().step("minimize", total=100) as step:
        for i in range(100):
            step.advance(note=f"fc{i}")
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "minimize (100) ..."
    assert lines[1].startswith("minimize: ")
    assert "/100 (" in lines[1]
    # 100 calls, 0.25 s apart: one line in two seconds, so one in eight.
    assert len(lines) == 2 + 100 // 8
    assert lines[-1].startswith("minimize: done in")


def test_a_step_that_fails_says_so(capsys):
    with pytest.raises(ValueError, match="boom"), PlainProgress().step("prove"):
        raise ValueError("boom")
    assert "prove: stopped after" in capsys.readouterr().err


def terminal():
    return Console(file=io.StringIO(), force_terminal=True, width=80)


def test_live_steps_leave_one_line_each_and_nest():
    console = terminal()
    live = LiveProgress(console)
    with live.step("outer", total=2) as outer:
        outer.advance()
        with live.step("[inner]") as inner:
            inner.advance(note="[note]")
        outer.advance()
    text = console.file.getvalue()
    assert text.count("outer: done in") == 1
    assert text.count("[inner]: done in") == 1
    assert live._bars is None


def test_live_step_that_fails_restores_the_terminal():
    console = terminal()
    live = LiveProgress(console)
    with pytest.raises(KeyboardInterrupt), live.step("simulate"):
        raise KeyboardInterrupt
    text = console.file.getvalue()
    assert "simulate: stopped after" in text
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")


def test_terminals_get_bars_and_dumb_ones_lines(monkeypatch):
    monkeypatch.setattr(progress.sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert isinstance(open_progress(), LiveProgress)
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(open_progress(), PlainProgress)
    logging.getLogger("nnlogic").handlers.clear()


def test_no_color_on_a_terminal(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    console = terminal()
    with LiveProgress(console).step("work"):
        pass
    assert "\x1b[3" not in console.file.getvalue()


@pytest.mark.parametrize(
    ("flags", "shown"), [([], 0), (["-v"], 1), (["-vv"], 2), (["-v", "-v"], 2)]
)
def test_verbose_shows_log_lines(nnlogic, fake_run, flags, shown):
    real = fake_run._call

    def noisy(verb, *args, **options):
        log = logging.getLogger("nnlogic.tools")
        log.info("info line")
        log.debug("debug line")
        return real(verb, *args, **options)

    fake_run._call = noisy
    err = nnlogic("verify", "run", *flags).err
    assert ("info line" in err, "debug line" in err) == (shown >= 1, shown >= 2)
