from nnlogic.core.folders import fresh_folder


def test_fresh_folders_are_empty_and_leave_nothing_behind(tmp_path):
    folder = fresh_folder(tmp_path / "a" / "b")
    (folder / "stale.o").write_text("half a file")
    assert list(fresh_folder(folder).iterdir()) == []
    assert [p.name for p in (tmp_path / "a").iterdir()] == ["b"]


def test_a_writer_that_outlived_its_parent_cannot_reach_the_new_folder(tmp_path):
    folder = fresh_folder(tmp_path / "b")
    with open(folder / "log", "w") as late:
        fresh_folder(folder)
        late.write("too late")
    assert list(folder.iterdir()) == []
