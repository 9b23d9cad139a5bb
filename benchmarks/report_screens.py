"""Look at a report's page with a real browser: pictures, and what does not fit a narrow screen.

The browser is the Chromium of Qt, which comes as wheels (about 200 MB), so it is no requirement of
anything else: ``pip install PyQt6 PyQt6-WebEngine``.

    python benchmarks/report_screens.py RUN -o FOLDER

writes ``<width>-<light|dark>.png`` at 400 and 1,280 px, and ends with 1 where the page is wider
than the screen, text of a plot is smaller than 10 px, or what is known of a check than 160.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

WIDTHS, THEMES, TALL = (400, 1280), ("light", "dark"), 12500
LEAST_TEXT, LEAST_HOW = 10.0, 160.0
MEASURE = """JSON.stringify({
  wide: document.documentElement.scrollWidth, tall: document.body.scrollHeight,
  screen: innerWidth, dark: matchMedia('(prefers-color-scheme: dark)').matches,
  text: Math.min(...[...document.querySelectorAll('svg.plot text')].map(t => {
    const svg = t.ownerSVGElement, across = svg.viewBox.baseVal.width;
    return parseFloat(getComputedStyle(t).fontSize) * svg.getBoundingClientRect().width / across;
  })),
  how: Math.min(...[...document.querySelectorAll('.ladder .how')].map(
    e => e.getBoundingClientRect().width)),
})"""


def picture(page: Path, out: Path, width: int, dark: bool) -> dict[str, float]:
    """Write a picture of a page; return what was measured. Runs in a process of its own."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    scheme = " --blink-settings=preferredColorScheme=0" if dark else ""
    os.environ["QTWEBENGINE_CHROMIUM_FLAGS"] = f"--no-sandbox --disable-gpu{scheme}"
    from PyQt6.QtCore import QTimer, QUrl
    from PyQt6.QtWebEngineWidgets import QWebEngineView
    from PyQt6.QtWidgets import QApplication

    app = QApplication(sys.argv[:1])
    view = QWebEngineView()
    view.resize(width, TALL)
    found: dict[str, float] = {}

    def measured(text: str) -> None:
        found.update(json.loads(text))
        view.grab().copy(0, 0, width, min(TALL, int(found["tall"]))).save(str(out))
        app.quit()

    def loaded(good: bool) -> None:
        QTimer.singleShot(3000, lambda: view.page().runJavaScript(MEASURE, measured))

    view.loadFinished.connect(loaded)
    view.load(QUrl.fromLocalFile(str(page.resolve())))
    view.show()
    QTimer.singleShot(60_000, app.quit)
    app.exec()
    return found


def problems(found: dict[str, float], width: int, dark: bool) -> list[str]:
    """Return what is wrong with a page of which these are the measures."""
    if not found:
        return ["the page did not load in a minute"]
    out = []
    if found["screen"] != width or bool(found["dark"]) != dark:
        out.append(f"the screen was {found['screen']} px, dark {bool(found['dark'])}")
    if found["wide"] > width:
        out.append(f"the page is {found['wide']} px wide")
    if (found["text"] or LEAST_TEXT) < LEAST_TEXT:
        out.append(f"text of a plot is {found['text']:.1f} px high")
    if (found["how"] or LEAST_HOW) < LEAST_HOW:
        out.append(f"what is known of a check has {found['how']:.0f} px")
    return out


def main() -> int:
    """Look at all sizes; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="run directory, or an HTML file")
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder for pictures")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    page = args.run / "report.html" if args.run.is_dir() else args.run
    args.out.mkdir(parents=True, exist_ok=True)
    if args.one:
        width, theme = int(args.one[0]), args.one[1]
        print(json.dumps(picture(page, args.out / f"{width}-{theme}.png", width, theme == "dark")))
        return 0
    bad = 0
    for width in WIDTHS:
        for theme in THEMES:
            line = [sys.executable, __file__, str(page), "-o", str(args.out)]
            ran = subprocess.run(
                [*line, "--one", str(width), theme], capture_output=True, text=True, check=False
            )
            last = (ran.stdout.strip().splitlines() or ["{}"])[-1]
            found = json.loads(last) if ran.returncode == 0 else {}
            wrong = problems(found, width, theme == "dark") + ran.stderr.splitlines()[-1:] * (
                not found
            )
            bad += len(wrong)
            print(f"{width:5} px, {theme:5}: {'; '.join(wrong) or 'fits'}  {found}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
