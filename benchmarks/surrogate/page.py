"""The page of the surrogate's errors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nnlogic.predict.whole.surrogate import AS_FOUND, AS_STARTED, Surrogate

NOTES = Path(__file__).with_name("notes.md")
TITLES = {
    "luts": "LUT6", "ffs": "flip-flops", "depth": "depth", "segment": "levels of the deepest stage",
    "fmax": "clock by the delay model of {target}", "seconds": "CPU seconds to minimize",
}  # fmt: skip
WHAT = {
    AS_FOUND: "trained or random tables, before minimization",
    AS_STARTED: "the recipe's network before training, for what it is once trained",
}


def errors_table(error: Mapping[str, Mapping[str, float]], target: str) -> list[str]:
    """Return the lines of a table of percentiles."""
    lines = ["| relative error, % | p50 | p75 | p90 | p95 |", "|---|---|---|---|---|"]
    for name, title in TITLES.items():
        if name in error:
            cells = [f"{100 * error[name][f'p{q}']:.1f}" for q in (50, 75, 90, 95)]
            lines.append(f"| {title.format(target=target)} | {' | '.join(cells)} |")
    return lines


def kinds_table(kinds: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Return the lines of a table of LUT errors by the families of a network."""
    lines = ["| networks with | held out | p50 | p90 |", "|---|---|---|---|"]
    for kind, row in sorted(kinds.items()):
        lines.append(
            f"| `{kind}` | {row['count']:.0f} | {100 * row['p50']:.1f} | {100 * row['p90']:.1f} |"
        )
    return lines


def zoo_table(zoo: Mapping[str, list[float]]) -> list[str]:
    """Return the lines of a table of networks of the zoo: predicted beside compiled LUT6."""
    lines = ["| network | compiled, effort fast | predicted | error, % |", "|---|---|---|---|"]
    for name, (truth, guess) in sorted(zoo.items()):
        lines.append(
            f"| `{name}` | {truth:,.0f} | {guess:,.0f} | {100 * (guess / truth - 1):+.1f} |"
        )
    return lines


def parts(facts: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return what stands in the notes for each word in capitals, as lines."""
    out: dict[str, list[str]] = {}
    for kind, title in WHAT.items():
        own = facts[kind]
        head = f"**{title[0].upper()}{title[1:]}** ({own['networks']:,} learned from, "
        head += f"{own['held_out']:,} held out):"
        out[f"ERRORS {kind}"] = [head, "", *errors_table(own["error"], own["target"])]
    out["KINDS"] = kinds_table(facts[AS_FOUND]["kinds"])
    if "zoo" in facts[AS_FOUND]:
        out["ZOO"] = zoo_table(facts[AS_FOUND]["zoo"])
    return out


def page(found: Mapping[str, Surrogate]) -> str:
    """Return the page."""
    text = NOTES.read_text("utf-8")
    for word, lines in parts({kind: s.facts for kind, s in found.items()}).items():
        text = text.replace(f"{word}\n", "\n".join(lines) + "\n")
    return text
