"""What checkers of style say of Verilog."""

from nnlogic.tools.find import find
from nnlogic.tools.run import run_tool


def lint(folder, files, top):
    """Return what Verilator warns of; Yosys fails on what it calls a problem."""
    done = run_tool(
        find("verilator"),
        ["--lint-only", "-Wall", "-Wno-fatal", "--top-module", top, *files],
        cwd=folder,
        timeout=60,
    )
    read = " ".join(f.name for f in files)
    script = f"read_verilog {read}\nhierarchy -check -top {top}\nproc\ncheck -assert\n"
    (folder / "check.ys").write_text(script)
    run_tool(find("yosys"), ["check.ys"], cwd=folder, timeout=60, failure_phrases=("ERROR:",))
    return [line for line in done.output.splitlines() if line.startswith("%")]
