"""A run as a host and a board see it: rows and answers as frames."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nnlogic.core.errors import CheckpointError, UnsupportedModel
from nnlogic.core.formats import IntArray
from nnlogic.design.ir import HardwareDesign
from nnlogic.design.unread import port_codes
from nnlogic.hw.board.protocol import DIGEST_BYTES, ROW, bytes_of, frame
from nnlogic.hw.names import port_names
from nnlogic.job.directory import open_run
from nnlogic.job.rows import Rows, load_rows, read_saved
from nnlogic.job.verify import refuse_failed, refuse_stale
from nnlogic.logic.ir import LogicNet
from nnlogic.quant.ir import QuantNet
from nnlogic.report.model import Report
from nnlogic.sim.harness import row_words


@dataclass(frozen=True, eq=False)
class Served:
    """A run whose core can stand on a board.

    Attributes
    ----------
    path : Path
    report : Report
    net : QuantNet
        What answers are compared with.
    logic : LogicNet
        All of it; ports of the design may lack bits that it does not read.
    design : HardwareDesign
    core : Path
        Verilog of the core.
    """

    path: Path
    report: Report
    net: QuantNet
    logic: LogicNet
    design: HardwareDesign
    core: Path

    @staticmethod
    def of(path: Path) -> Served:
        """Open a run.

        Raises
        ------
        UsageError, CheckpointError
            Not a run, or one without Verilog.
        UnsupportedModel
            Its core does not take a whole row at a time.
        Different
            The run failed or was changed.
        """
        run = open_run(path)
        refuse_failed(path, run.report)
        refuse_stale(path, run.report)
        place, fix = run.ir_path("design"), "compile it with --backend lut"
        if not place.exists():
            raise UnsupportedModel("the run has no core of logic", where=str(path), fix=fix)
        net, design = QuantNet.load(run.ir_path("quant")), HardwareDesign.load(place)
        logic = LogicNet.load(run.ir_path("logic"))
        if (logic.inputs, design.outputs) != (net.inputs, net.outputs):
            why = f"the core has {len(logic.inputs)} inputs, the network {len(net.inputs)}"
            raise UnsupportedModel(
                "the core of this run is not the whole network", where=str(path), why=why, fix=fix
            )
        core = run.path / "rtl" / f"{design.name}.v"
        if not core.exists():
            fix = "compile it without --stop-after"
            raise CheckpointError("the run has no Verilog", where=str(path), fix=fix)
        return Served(run.path, run.report, net, logic, design, core)

    @property
    def digest(self) -> bytes:
        """What a board with this core says of itself."""
        return hashlib.sha256(self.core.read_bytes()).digest()[:DIGEST_BYTES]

    @property
    def input_bytes(self) -> int:
        """Payload of a row."""
        return bytes_of([p.format.bits for p in self.design.inputs])

    @property
    def output_bytes(self) -> int:
        """Payload of an answer."""
        return bytes_of([p.format.bits for p in self.design.outputs])

    def rows(self, given: Any, label: str | None = None) -> Rows:
        """Return the user's rows, or those that the run was measured on."""
        saved = self.path / "sim" / "rows.npz"
        if given is None and saved.exists():
            return read_saved(saved, self.net.inputs)[0]
        return load_rows(self.net, given, label)

    def frames(self, codes: IntArray) -> list[bytes]:
        """Return a frame for each row of codes."""
        return [
            frame(ROW, word.to_bytes(self.input_bytes, "little")) for word in self._words(codes)
        ]

    def _words(self, codes: IntArray) -> list[int]:
        return row_words(port_codes(self.logic, self.design, codes), self.design.inputs)

    def answer(self, codes: IntArray) -> list[bytes]:
        """Return the payload that is right for each row, by the network."""
        words = row_words(self.net.evaluate(codes), self.design.outputs)
        return [word.to_bytes(self.output_bytes, "little") for word in words]

    def outputs(self, payloads: Iterable[bytes]) -> IntArray:
        """Return the port values in payloads of answers."""
        words = [int.from_bytes(data, "little") for data in payloads]
        out, at = np.zeros((len(words), len(self.design.outputs)), np.int64), 0
        for column, port in enumerate(self.design.outputs):
            raw = [word >> at & (1 << port.format.bits) - 1 for word in words]
            out[:, column] = port.format.from_raw(np.array(raw, np.int64))
            at += port.format.bits
        return out

    def shell(self, codes: IntArray) -> dict[str, Any]:
        """Return what a shell is made for, with a self-test on some rows.

        As `nnlogic.hw.board.shell.ShellParameters` has it, without what the clock decides.
        """
        x, y = port_names(self.design)
        right = row_words(self.net.evaluate(codes), self.design.outputs)
        return {
            "core": self.design.name,
            "inputs": tuple((x[p.name], p.format.bits) for p in self.design.inputs),
            "outputs": tuple((y[p.name], p.format.bits) for p in self.design.outputs),
            "digest": self.digest,
            "tests": tuple(zip(self._words(codes), right, strict=True)),
        }
