"""The commit comes from this checkout or from the build, never from a repository around it."""

import subprocess

import pytest

from nnlogic.tools import revision


@pytest.fixture
def tree(tmp_path, monkeypatch):
    (tmp_path / "nnlogic").mkdir()
    monkeypatch.setattr(revision, "ROOT", tmp_path)
    monkeypatch.setattr(revision, "RECORD", tmp_path / "nnlogic" / "COMMIT")
    return tmp_path


def git(tree, *command):
    who = ["git", "-c", "user.name=A", "-c", "user.email=a@b"]
    done = subprocess.run([*who, *command], cwd=tree, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def checkout(tree):
    git(tree, "init", "-q")
    (tree / "file").write_text("one")
    git(tree, "add", ".")
    git(tree, "commit", "-q", "-m", "one")
    git(tree, "tag", "v1", "-m", "a name that git would prefer")
    return git(tree, "rev-parse", "--short=7", "HEAD")


def test_of_a_checkout(tree, monkeypatch):
    commit = checkout(tree)
    monkeypatch.setenv("GIT_DIR", str(tree / "elsewhere"))
    assert revision.commit() == commit
    (tree / "file").write_text("two")
    assert revision.commit() == f"{commit}+dirty"


def test_what_the_build_wrote_down_needs_no_git(tree, monkeypatch):
    revision.RECORD.write_text("0123abc\n")
    monkeypatch.setenv("PATH", "")
    assert revision.commit() == "0123abc"
    revision.RECORD.write_text("\n")
    assert revision.commit() is None


def test_none_inside_a_foreign_repository(tree, monkeypatch):
    checkout(tree)
    inside = tree / "site-packages"
    inside.mkdir()
    monkeypatch.setattr(revision, "ROOT", inside)
    assert revision.commit() is None


def test_none_without_git_or_in_a_broken_checkout(tree, monkeypatch):
    (tree / ".git").mkdir()
    assert revision.commit() is None
    checkout(tree)
    monkeypatch.setenv("PATH", "")
    assert revision.commit() is None
