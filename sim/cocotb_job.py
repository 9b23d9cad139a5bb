"""One cocotb build or run, as a program of its own: ``python -m nnlogic.sim.cocotb_job JOB.json``.

A separate program can be killed when it hangs, and cocotb's runner may exit as it likes.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path


def main(path: str) -> None:
    """Do what the job file says."""
    from cocotb_tools.runner import get_runner

    job = json.loads(Path(path).read_text())
    # The runner behaves differently when it believes to be inside pytest.
    os.environ.pop("PYTEST_CURRENT_TEST", None)
    runner = get_runner(job["simulator"])
    if job["action"] == "build":
        runner.build(
            sources=job["sources"],
            hdl_toplevel=job["top"],
            build_dir=job["build_dir"],
            build_args=job["build_args"],
            timescale=("1ns", "1ps"),
            always=True,
        )
    else:
        runner.test(
            test_module=job["test_module"],
            hdl_toplevel=job["top"],
            hdl_toplevel_lang="verilog",
            build_dir=job["build_dir"],
            test_dir=job["test_dir"],
            results_xml=job["results"],
            seed=job["seed"],
            extra_env=job["env"],
        )


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except RuntimeError as error:
        # The simulator's own words stand above; a traceback would push them out of sight.
        sys.exit(str(error))
