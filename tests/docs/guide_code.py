"""The Python blocks of a page, run one after another in one namespace."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "guide"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def run_page(page: Path, folder: Path) -> dict[str, object]:
    """Run all blocks as one script in a folder; its lines are those of the page."""
    text = page.read_text(encoding="utf-8")
    script, line = [], 0
    for block in BLOCK.finditer(text):
        start = text.count("\n", 0, block.start(1))
        script += ["\n" * (start - line), block[1]]
        line = start + block[1].count("\n")
    assert script, page
    file = folder / f"{page.stem}.py"
    file.write_text("".join(script), encoding="utf-8")
    return runpy.run_path(str(file))
