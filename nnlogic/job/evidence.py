"""Verdicts and the bytes they are about: a verdict on a file that changed is stale.

Each check of a report carries the digests of the files its rung compares. Whoever reads the report
of a run gets it through `audited`, which repeats a verdict only where seal and digests still fit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from nnlogic.job.seal import Seal, is_file, read_seal, sha256
from nnlogic.report.model import Report
from nnlogic.report.quantities import ErrorRow
from nnlogic.report.rows import AccuracyRow, Check
from nnlogic.report.sections import FILES, Section
from nnlogic.report.words import LASTING

STALE: Final = "stale"
CLAIMS_NOTHING = ("running", "error")
"""Words in STATUS that a killed or failed command leaves, which promise nothing."""
IR = "ir/*.safetensors"
COMPARED: dict[int, tuple[str, ...]] = {
    0: (IR, "rtl/*"),
    1: ("ir/coded.safetensors", "ir/quant.safetensors"),
    2: tuple(f"ir/{s}.safetensors" for s in ("coded", "quant", "tables")),
    3: tuple(
        f"ir/{s}.safetensors" for s in ("tables", "simplified", "assembled", "logic", "ports")
    ),
    4: (IR, "sim/rows.npz"),
    5: (IR, "rtl/*", "sim/rows.npz", "sim/*_models.v"),
    6: ("ir/design.safetensors", "ir/program.safetensors", "ir/kernels.safetensors", "rtl/*",
        "synth/*.v", "synth/*.lib", "synth/rtl/*.v", "targets/*"),
}  # fmt: skip
"""Files that the checks of a rung compare; those of a run's segments likewise."""
ROOTS = ("ir/coded.safetensors", "ir/quant.safetensors", "sim/rows.npz")
"""Files that came from outside the run: nothing in it can show that an edited one is right."""
SHOWN = 4


def compared(folder: Path, number: int) -> dict[str, str]:
    """Return the SHA-256 of the files that a rung compares, by path relative to the run."""
    found: dict[str, str] = {}
    for pattern in COMPARED[number]:
        for path in (*folder.glob(pattern), *folder.glob(f"segments/*/{pattern}")):
            if path.is_file() and not path.name.startswith("."):
                found[path.relative_to(folder).as_posix()] = sha256(path)
    return dict(sorted(found.items()))


def bound(
    report: Report,
    folder: Path,
    before: Report | None = None,
    taken: Mapping[int, dict[str, str]] | None = None,
) -> Report:
    """Return the report with digests in the checks that were made anew.

    Parameters
    ----------
    report : Report
    folder : Path
        Of the run.
    before : Report, optional
        The report the command began with: checks that stand in it unchanged keep their digests.
    taken : mapping of int to dict, optional
        By rung, what `compared` gave before the checks began; by default it is asked now.
    """
    for rung in report.ladder:
        old = {c.title: c for c in before.rung(rung.number).checks} if before else {}
        made = [c for c in rung.checks if c.verdict in ("pass", "fail")]
        made = [c for c in made if c is not old.get(c.title)]
        if made:
            files = taken[rung.number] if taken else compared(folder, rung.number)
            for check in made:
                report = report.with_check(rung.number, replace(check, files=files))
    return report


def audited(report: Report, folder: Path) -> Report:
    """Return what the report of a run may still say.

    Verdicts on files that changed are ``"stale"``; those of a run that this user's key did not
    seal are "not run". Figures measured on files that changed are dropped. ``warnings`` say what
    was found, and ``status`` is ``"stale"`` where a verdict or what the run began with is.
    """
    seal = read_seal(folder)
    word = _status_word(folder)
    if seal is None or not seal.ours:
        why = "not sealed on this machine by this user; run nnlogic verify here"
        return _unsealed(report, folder, why)
    if not seal.intact or word not in (report.status, *CLAIMS_NOTHING):
        what = "report.json" if not seal.intact else "STATUS"
        return _forged(report, f"{what} was changed after nnlogic wrote it")
    edited = list(_edited(folder, seal))
    warnings = [w for w in report.warnings if any(mark in w for mark in LASTING)]
    if edited:
        warnings.insert(0, f"edited since nnlogic wrote it: {_listed(edited)}")
    for rung in report.ladder:
        for check in rung.checks:
            if check.verdict in ("pass", "fail"):
                changed = _changed(check, compared(folder, rung.number))
                if changed:
                    report = report.with_check(rung.number, stale(check, _listed(changed)))
    hit = {name.split("/")[0] for name in edited}
    if hit & {"rtl", "synth", "pnr", "segments"}:
        report = without_tools(report)
        warnings.append("figures of synthesis and place and route were of other files")
    if "rtl" in hit:
        report = _without_accuracy(report, ("RTL",))
    if set(edited) & set(ROOTS):
        measured: list[AccuracyRow | ErrorRow] = [*report.accuracy, *report.errors]
        report = _without_accuracy(report, [r.stage for r in measured if r.n is not None])
        warnings.append("what the run began with was changed: compile again")
    kept = tuple(s for s in report.sections if _holds(s, folder))
    if len(kept) < len(report.sections):
        gone = [s.title for s in report.sections if s not in kept]
        warnings.append(f"of other files, and withdrawn: {', '.join(gone)}")
        report = report.replace(sections=kept)
    if report.stale or set(edited) & set(ROOTS):
        report = report.replace(status=STALE)
    return report.replace(warnings=tuple(warnings))


def roots_changed(folder: Path) -> list[str]:
    """Return which files that the run began with are not those that were sealed."""
    seal = read_seal(folder)
    known = seal is not None and seal.ours
    return [name for name in _edited(folder, seal) if name in ROOTS] if seal and known else []


def stale(check: Check, why: str) -> Check:
    """Return a check that says no more than that it once had a verdict."""
    said = f"was {check.verdict}" + (f" ({check.how})" if check.how else "")
    return replace(check, verdict=STALE, how="", detail=f"{said}, of other bytes: {why}")


def forget_netlist(report: Report) -> Report:
    """Return a report that owes the check of a netlist of other Verilog, which synthesis makes."""
    for check in report.rung(6).checks:
        if check.verdict == STALE:
            detail = "the netlist was of other files: nnlogic synth makes it anew"
            report = report.with_check(6, Check(check.title, detail=detail))
    return report


def without_tools(report: Report) -> Report:
    """Return a report without figures of synthesis, place and route."""
    kept = [row for row in report.resources if row.source not in ("synth", "pnr")]
    sections = tuple(section.without_measured() for section in report.sections)
    report = report.replace(resources=tuple(kept), sections=sections)
    if report.timing.fmax_source == "pnr":
        report = report.replace(timing=report.timing.estimated())
    return report


def _holds(section: Section, folder: Path) -> bool:
    files = section.data.get(FILES, {})
    return all(is_file(folder / n) and sha256(folder / n) == d for n, d in files.items())


def _without_accuracy(report: Report, stages: Sequence[str]) -> Report:
    def kept(row: AccuracyRow | ErrorRow) -> bool:
        return row.stage not in stages or "recorded" in row.detail

    accuracy, errors = filter(kept, report.accuracy), filter(kept, report.errors)
    classes = report.classes if set(stages) <= {"RTL"} else ()
    return report.replace(accuracy=tuple(accuracy), errors=tuple(errors), classes=classes)


def _status_word(folder: Path) -> str:
    return (folder / "STATUS").read_text(errors="replace").strip()


def _edited(folder: Path, seal: Seal) -> Iterator[str]:
    for name, digest in seal.files.items():
        path = folder / name
        if not is_file(path) or sha256(path) != digest:
            yield name


def _changed(check: Check, now: dict[str, str]) -> list[str]:
    if not check.files:
        return ["no record of what was compared"]
    names = sorted(set(check.files) | set(now))
    return [n for n in names if check.files.get(n) != now.get(n)]


def _listed(names: Sequence[str]) -> str:
    rest = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + rest


def _unsealed(report: Report, folder: Path, why: str) -> Report:
    for rung in report.ladder:
        for check in rung.checks:
            if check.verdict in ("pass", "fail"):
                said = f"said to {check.verdict}"
                claimed = replace(check, verdict="not run", how="", detail=f"{said}; {why}")
                report = report.with_check(rung.number, claimed)
    words = (f"{why[0].upper()}{why[1:]}", "figures below are what the file claims")
    return report.replace(status="unsealed", warnings=words)


def _forged(report: Report, why: str) -> Report:
    for rung in report.ladder:
        for check in rung.checks:
            if check.verdict in ("pass", "fail"):
                report = report.with_check(rung.number, stale(check, why))
    words = (why, "figures below are what the file claims")
    return report.replace(status=STALE, warnings=words)
