"""Take a case through the compiler and compare every stage with the reference."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

import nnlogic
from nnlogic.checks.formal import prove_verilog
from nnlogic.core.errors import TooWide
from nnlogic.core.formats import IntArray
from nnlogic.hw.lut.verilog import write_verilog
from nnlogic.logic.network.net import optimize_net
from nnlogic.tables.passes import simplify

from . import faults, plain
from .backends import BACKENDS, compiled_outputs, equal_rows, fitted, kept_texts
from .reference import Net, bits_of, bounds, encode, evaluate, widest
from .strategies import near_features

EXHAUSTIVE_BITS = 9
ROWS = 160
BETWEEN = ("assembled.txt",)
LAYERS = {"layer": "keep", "network": "merge"}
PLANTED = 2
"""Faults planted per stage."""


class Finding(AssertionError):
    """Something the compiler did that it must not do; the title names what, the rest is detail."""

    def __init__(self, title: str, detail: str = "") -> None:
        super().__init__(f"{title}: {detail}" if detail else title)
        self.title = title


class Refused(Exception):
    """The compiler refused the case, as it may."""


@contextmanager
def during(what: str) -> Iterator[None]:
    """Name what was being done when an exception came; only planned refusals pass as they are."""
    try:
        yield
    except (Finding, Refused):
        raise
    except nnlogic.NNLogicError as error:
        raise Finding(f"{what} raises {type(error).__name__}", error.text()) from error
    except Exception as error:
        raise Finding(f"{what} raises {type(error).__name__}", str(error)) from error


def rows_of(net: Net, rng: random.Random) -> list[list[int]]:
    """Return every row where they are few, else corners, near-corners and random ones."""
    limits = [bounds(fmt) for _, fmt in net["inputs"]]
    if sum(bits_of(fmt) for _, fmt in net["inputs"]) <= EXHAUSTIVE_BITS:
        return [list(row) for row in product(*(range(lo, hi + 1) for lo, hi in limits))]
    rows = [[lo for lo, _ in limits], [hi for _, hi in limits], [0 for _ in limits]]
    for i, (lo, hi) in enumerate(limits):
        for base in (0, 1):
            rows += [[*rows[base][:i], v, *rows[base][i + 1 :]] for v in (lo, hi, 0)]
    rows += [[rng.choice((lo, hi)) for lo, hi in limits] for _ in range(20)]
    rows += [[rng.randint(lo, hi) for lo, hi in limits] for _ in range(ROWS)]
    return rows


class Walk:
    """One network, its rows, and what the reference gives for them.

    Parameters
    ----------
    net : dict
        As `nnlogic.quant.ir.QuantNet` describes it, see `plain`.
    folder : Path
        Empty.
    seed : int
        Of rows and planted faults.
    """

    def __init__(self, net: Net, folder: Path, seed: int) -> None:
        self.net, self.folder, self.rng = net, folder, random.Random(seed)
        rows = rows_of(net, self.rng)
        self.rows = np.array(rows, np.int64)
        self.want = np.array([evaluate(net, row) for row in rows], np.int64)
        with during("building the QuantNet"):
            self.quant = plain.build(net)

    def agree(self, what: str, got: IntArray) -> None:
        """Report outputs that differ from the reference."""
        detail = equal_rows(got, self.want)
        if detail:
            raise Finding(f"{what} differs from the reference", detail)

    def kept(self, what: str, stage: Any) -> None:
        """Evaluate a stage, print it, save and load it: all must be as it is."""
        with during(f"evaluating {what}"):
            stage.verify()
            self.agree(what, stage.evaluate(self.rows))
        path = self.folder / f"{what.replace(' ', '_')}.safetensors"
        with during(f"saving {what}"):
            stage.save(path)
            again = type(stage).load(path)
            text, counts = stage.text(), stage.stats()
        if again.text() != text or again.stats() != counts:
            raise Finding(f"{what} prints differently when loaded")
        self.agree(f"{what} when loaded", again.evaluate(self.rows))

    def equal(self, left: Any, right: Any, what: str) -> None:
        """Report a check that does not say that two equal stages are equal."""
        with during(f"check of {what}"):
            verdict = nnlogic.check(left, right, codes=self.rows)
        if not verdict.equal:
            raise Finding(f"check of {what} fails on equal stages", verdict.text())

    def caught(self, good: Any, bad: Any, what: str) -> None:
        """Report a check that says equal although outputs differ."""
        with during(f"check of a fault in {what}"):
            differs = bool((bad.evaluate(self.rows) != self.want).any())
            verdict = nnlogic.check(good, bad, codes=self.rows)
        if differs and verdict.equal:
            raise Finding(f"check of {what} passes a fault", verdict.text())

    def quantnet(self) -> None:
        """The network itself, its file, and its input encoder."""
        self.kept("QuantNet", self.quant)
        with during("loading the QuantNet"):
            loaded = nnlogic.load(self.folder / "QuantNet.safetensors")
        if plain.describe(loaded) != self.net:
            raise Finding("QuantNet loads as another network")
        if self.net["quantizer"] is not None:
            raw = near_features(self.net, self.rng)
            with during("encoding features"):
                got = self.quant.encode(np.array(raw))
            detail = equal_rows(got, np.array([encode(self.net, row) for row in raw]))
            if detail:
                raise Finding("encoding differs from the reference", detail)

    def tabulated(self, options: Net) -> Any:
        """Return the TableNet; refused exactly where a neuron is too wide."""
        sums = options["arith"] == "never"
        too_wide = widest(self.net, sums=sums) > options["table_limit"]
        try:
            with during("tabulate"):
                tables = nnlogic.tabulate(
                    self.quant, limit=options["table_limit"], arith=options["arith"]
                )
        except Finding as error:
            if too_wide and isinstance(error.__cause__, TooWide):
                raise Refused("too wide") from error
            raise
        if too_wide:
            raise Finding("tabulate takes a neuron that is too wide")
        return tables

    def stages(self, options: Net) -> None:
        """Stage by stage through the functions of the package."""
        self.quantnet()
        tables = self.tabulated(options)
        self.kept("TableNet", tables)
        self.equal(self.quant, tables, "QuantNet = TableNet")
        with during("simplify"):
            simple, _ = simplify(tables, effort=options["effort"])
        self.kept("simplified TableNet", simple)
        self.equal(tables, simple, "TableNet = simplified TableNet")
        with during("minimize"):
            logic = nnlogic.minimize(
                simple,
                k=options["k"],
                effort=options["effort"],
                objective=options["objective"],
                jobs=1,
                cache_dir=False,
            )
        self.kept("LogicNet", logic)
        self.equal(simple, logic, "TableNet = LogicNet")
        final = logic
        if options["optimize"] != "none":
            with during("optimize"):
                final = optimize_net(
                    logic,
                    layers=LAYERS[options["optimize"]],
                    objective=options["objective"],
                    effort=options["effort"],
                    jobs=1,
                )
            self.kept("optimized LogicNet", final)
            self.equal(logic, final, "LogicNet = optimized LogicNet")
        with during("build"):
            design = nnlogic.build(final, schedule=options.get("levels_per_stage") or "layer")
        self.kept("HardwareDesign", design)
        self.equal(final, design, "LogicNet = HardwareDesign")
        self.equal(self.quant, design, "QuantNet = HardwareDesign")
        with during("write Verilog"):
            files = write_verilog(design, self.folder / "rtl")
        with during("proof of the Verilog"):
            verdict = prove_verilog(design, files)
        if not verdict.equal:
            raise Finding("proof of the Verilog fails", verdict.text())
        self.planted(tables, simple, logic, final)

    def planted(self, tables: Any, simple: Any, logic: Any, final: Any) -> None:
        """Plant faults in every stage; no check may pass one that shows."""
        for bad in list(faults.wrong_nets(self.net, self.rng))[:PLANTED]:
            with during("building a QuantNet with a fault"):
                quant = plain.build(bad)
            self.caught(tables, quant, "QuantNet = TableNet")
            self.caught(logic, quant, "QuantNet = LogicNet")
        for bad in list(faults.wrong_tables(tables, self.rng))[:PLANTED]:
            self.caught(self.quant, bad, "QuantNet = TableNet")
            self.caught(simple, bad, "TableNet = simplified TableNet")
            self.caught(logic, bad, "TableNet = LogicNet")
        for bad in list(faults.wrong_logic(logic, self.rng))[:PLANTED]:
            self.caught(simple, bad, "TableNet = LogicNet")
            self.caught(final, bad, "LogicNet = LogicNet")
            self.caught(nnlogic.build(logic), bad, "LogicNet = HardwareDesign")

    def compiled(self, backend: str, options: Net) -> Path:
        """Compile a saved network; return the run, whose every stage gives the same outputs."""
        source = self.folder / "source.safetensors"
        self.quant.save(source)
        out = self.folder / "run"
        self._compile(backend, source, out, options)
        self.outputs_of(backend, out)
        return out

    def _compile(self, backend: str, source: Path, out: Path, options: Net) -> None:
        sums = options["arith"] == "never"
        too_wide = widest(self.net, sums=sums) > options["table_limit"]
        refusals = BACKENDS[backend].refusals + ((TooWide,) if too_wide else ())
        try:
            with during(f"compile, {backend}"):
                run = nnlogic.compile(source, out, jobs=1, **options)
        except Finding as error:
            if isinstance(error.__cause__, refusals):
                raise Refused(str(error.__cause__)) from error
            raise
        if run.status != "compiled":
            raise Finding(f"compile, {backend} ends with status {run.status}")

    def outputs_of(self, backend: str, run: Path) -> None:
        """Compare what every stage of a run computes."""
        with during(f"evaluating the run, {backend}"):
            for stage, got in compiled_outputs(run, self.rows):
                self.agree(f"{stage} of the run, {backend}", got)

    def reused(self, backend: str, run: Path, options: Net, stage: str) -> None:
        """Go on from a stage of a run: the result must be the same."""
        out = self.folder / f"from-{stage}"
        self._compile(backend, run, out, {**options, "start_from": stage})
        self.outputs_of(f"{backend} --from {stage}", out)
        before, after = kept_texts(run), kept_texts(out)
        # What lies between two stages is not made again when both are taken over.
        changed = sorted(k for k in before | after if before.get(k) != after.get(k))
        changed = [k for k in changed if k in after or k not in BETWEEN]
        if changed:
            raise Finding(f"--from {stage} gives another result, {backend}", ", ".join(changed))


def walk(case: Net, folder: Path) -> None:
    """Take a case through what it names: ``stages``, or the compilation for a backend.

    Raises
    ------
    Finding
        Something is wrong.
    Refused
        The case cannot be compiled, and the compiler says so.
    """
    if "stack" in case:
        from .families import exported

        net = exported(case["stack"], folder)
    else:
        net = case["net"]
    trip = Walk(net, folder, case["seed"])
    if case["through"] == "stages":
        trip.stages(case["options"])
        return
    options = fitted(case["options"], len(net["layers"]))
    run = trip.compiled(case["through"], options)
    if case["from"] is not None:
        trip.reused(case["through"], run, options, case["from"])
    if case["simulate"]:
        with during(f"verify, {case['through']}"):
            from nnlogic.run import verify

            verify(run, simulators=("verilator",))
