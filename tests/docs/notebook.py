"""Run the code cells of a notebook, without Jupyter: what they print, and what stands last.

``python tests/docs/notebook.py examples/notebook/first_steps.ipynb`` writes the outputs anew.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import sys
from code import InteractiveInterpreter
from pathlib import Path
from typing import Any


class Cells(InteractiveInterpreter):
    """One namespace for all cells; errors are raised."""

    def showtraceback(self) -> None:
        """Raise what a cell raised."""
        raise sys.exception() or RuntimeError("a cell failed")

    def run(self, source: str, name: str) -> list[dict[str, Any]]:
        """Return the outputs of a cell, as they stand in a notebook."""
        tree = ast.parse(source, name)
        last = None
        if tree.body and isinstance(tree.body[-1], ast.Expr):
            last = ast.Expression(tree.body.pop().value)
        text = io.StringIO()
        shown: list[Any] = []
        with contextlib.redirect_stdout(text):
            self.runcode(compile(tree, name, "exec"))
            if last is not None:
                self.locals["_show"] = shown.append
                call = ast.parse("_show(0)", name)
                call.body[0].value.args = [last.body]
                self.runcode(compile(call, name, "exec"))
        outputs = []
        if text.getvalue():
            lines = text.getvalue().splitlines(keepends=True)
            outputs.append({"name": "stdout", "output_type": "stream", "text": lines})
        if shown and shown[0] is not None:
            data = {"text/plain": [repr(shown[0])]}
            if hasattr(shown[0], "_repr_html_"):
                data["text/html"] = shown[0]._repr_html_().splitlines(keepends=True)
            outputs.append(
                {"data": data, "execution_count": None, "metadata": {},
                 "output_type": "execute_result"}
            )  # fmt: skip
        return outputs


def run_notebook(path: Path) -> list[tuple[list[dict[str, Any]], list[dict[str, Any]]]]:
    """Return, per code cell, the outputs in the file and those of now."""
    cells, found = Cells({"__name__": "__main__"}), []
    for number, cell in enumerate(json.loads(path.read_text(encoding="utf-8"))["cells"]):
        if cell["cell_type"] == "code":
            made = cells.run("".join(cell["source"]), f"{path.name}, cell {number}")
            found.append((cell["outputs"], made))
    return found


def rewrite(path: Path) -> None:
    """Run a notebook, and write its outputs into it."""
    made = iter(new for _, new in run_notebook(path))
    whole = json.loads(path.read_text(encoding="utf-8"))
    for cell in whole["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] = next(made)
    path.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    rewrite(Path(sys.argv[1]).resolve())
