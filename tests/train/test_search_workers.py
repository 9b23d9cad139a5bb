"""Two workers of a search at the same time; one is killed, and nothing it had begun is lost."""

import os
import subprocess
import sys
import time
from pathlib import Path

from test_search_study import Luts, run, toy

from nnlogic.train.search_study import WORKER, finished, open_study

__all__ = ["toy"]  # the data set, for every test here

WORKER_1 = """
import sys, time
from pathlib import Path
import test_search_study as study

sources = study.toy_sources()
study.datasets._sources = lambda: sources
folder, storage = Path(sys.argv[1]), sys.argv[2]

class Stuck(study.Luts):
    def __call__(self, net):
        if self.calls == 1:
            (folder / "stuck").touch()
            time.sleep(600)
        return super().__call__(net)

options = {"worker": 1, "sensitivity": "none"}
study.run(folder / "b", Stuck(), storage=storage, resume=True, options=options)
"""


def test_a_killed_worker_loses_nothing(tmp_path):
    storage = str(tmp_path / "shared.log")
    options = {"sensitivity": "none", "trials": 1}
    run(tmp_path / "a", storage=storage, options=options)
    path = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    other = subprocess.Popen(
        [sys.executable, "-c", WORKER_1, tmp_path, storage], env={**os.environ, "PYTHONPATH": path}
    )
    try:
        while not (tmp_path / "stuck").exists():
            assert other.poll() is None
            time.sleep(0.05)
        # This worker goes on while the other is in the middle of a trial.
        options["trials"] = 4
        assert run(tmp_path / "a", storage=storage, resume=True, options=options).trials == 4
    finally:
        other.kill()
        other.wait()
    study = open_study("toy", storage, resume=True)
    (begun,) = (t for t in study.get_trials() if t.state.name == "RUNNING")
    assert begun.user_attrs[WORKER] == 1
    options |= {"worker": 1, "trials": 6}
    again = run(tmp_path / "b", Luts(), storage=storage, resume=True, options=options)
    assert again.trials == 6
    assert not [t for t in study.get_trials() if t.state.name == "RUNNING"]
    assert begun.params in [t.params for t in finished(study)]
