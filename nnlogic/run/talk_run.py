"""A host on the serial line of a board: rows go out, answers are compared with the network."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from nnlogic.core.errors import Different, ToolFailed, ToolNotFound, ToolTimeout, UsageError
from nnlogic.core.formats import IntArray
from nnlogic.core.progress import SILENT, Progress
from nnlogic.flows.boards import EXTRA
from nnlogic.hw.board.protocol import (
    CHECK,
    COUNT_BYTES,
    DIGEST_BYTES,
    QUIET_S,
    REFUSED,
    TEST,
    WHO,
    WINDOW,
    frame,
)
from nnlogic.run.board_run import BAUD
from nnlogic.run.served import Served

SECONDS = 2.0


class Line(Protocol):
    """What a host needs of a serial port; a read that takes too long returns fewer bytes."""

    def write(self, data: bytes, /) -> Any: ...  # noqa: D102

    def read(self, size: int, /) -> bytes: ...  # noqa: D102


@dataclass(frozen=True, eq=False)
class Talked:
    """What a board answered.

    Attributes
    ----------
    tried, wrong : int
        Rows of the self-test, and wrong answers in it.
    outputs, expected : int64 arrays, shape (rows, outputs)
        Of the board, and of the network.
    what : str
        Where the rows come from.
    labels : array or None
    column : int or None
        Output that names the class.
    """

    tried: int
    wrong: int
    outputs: IntArray
    expected: IntArray
    what: str
    labels: Any
    column: int | None

    @property
    def different(self) -> IntArray:
        """Numbers of the rows with another answer than the network's."""
        return np.flatnonzero((self.outputs != self.expected).any(axis=1))

    @property
    def right(self) -> bool:
        """Whether the board did all as it should."""
        return not self.wrong and not len(self.different)


class Host:
    """Speaks `nnlogic.hw.board.protocol` over a line.

    Raises
    ------
    ToolTimeout
        By each method: no answer.
    ToolFailed
        By each method: an answer that is damaged, or of another kind.
    """

    def __init__(self, line: Line) -> None:
        self.line = line

    def who(self) -> bytes:
        """Return the digest of the core on the board."""
        self.line.write(frame(WHO))
        return self._answer(WHO, DIGEST_BYTES)

    def test(self) -> tuple[int, int]:
        """Run the self-test; return the rows that were tried, and the wrong answers."""
        self.line.write(frame(TEST))
        data = self._answer(TEST, 2 * COUNT_BYTES)
        tried, wrong = data[:COUNT_BYTES], data[COUNT_BYTES:]
        return int.from_bytes(tried, "little"), int.from_bytes(wrong, "little")

    def rows(self, frames: Sequence[bytes], size: int) -> Iterator[bytes]:
        """Yield the payload of each answer; `WINDOW` frames are on their way at once.

        Parameters
        ----------
        frames : sequence of bytes
        size : int
            Bytes of a payload.
        """
        waiting: deque[bytes] = deque()
        for data in frames:
            if len(waiting) == WINDOW:
                yield self._answer(waiting.popleft()[:1], size)
            self.line.write(data)
            waiting.append(data)
        while waiting:
            yield self._answer(waiting.popleft()[:1], size)

    def _answer(self, kind: bytes, size: int) -> bytes:
        first = self.line.read(1)
        if first == REFUSED:
            why = "a frame came to it damaged, or in pieces"
            raise ToolFailed("the board refused a frame", why=why, fix="check baud rate and cable")
        got = first + self.line.read(size + 1) if first else b""
        if len(got) < size + 2:
            raise ToolTimeout(
                "the board does not answer",
                why=f"{len(got)} of {size + 2} bytes came within the time for an answer",
                fix="check port, baud rate, and that the bitstream is loaded",
            )
        if got[:1] != kind or CHECK.compute(got[:-1]) != got[-1]:
            why = f"{got.hex(' ')} came, an answer to {kind.decode()!r} was due"
            raise ToolFailed("a damaged answer", why=why, fix="check baud rate and cable")
        return got[1:-1]


def talk(
    port: str,
    path: Path | str,
    *,
    rows: Any = None,
    label: str | None = None,
    limit: int | None = None,
    baud: int = BAUD,
    seconds: float = SECONDS,
    progress: Progress = SILENT,
) -> Talked:
    """Send rows to a board and compare its answers with the network of a run.

    Parameters
    ----------
    port : str
        Serial port.
    path : path
        The run that the board was made of.
    rows : path or array, optional
        By default those the run was measured on.
    label : str, optional
        Name of the labels.
    limit : int, optional
        Most rows to send.
    baud : int
        Bits per second.
    seconds : float
        That a read may take.
    progress : Progress

    Raises
    ------
    UsageError
        The port cannot be opened.
    Different
        The board holds another core.
    ToolTimeout, ToolFailed
        It does not answer, or not in frames.
    ToolNotFound
        pyserial is not installed.
    """
    served = Served.of(Path(path))
    found = served.rows(rows, label)
    codes = found.codes[:limit]
    line = open_line(port, baud, seconds)
    try:
        host = Host(line)
        digest = host.who()
        if digest != served.digest:
            raise Different(
                "the board holds another core",
                where=port,
                why=f"it says {digest.hex()}, the core of the run is {served.digest.hex()}",
                fix="make and load the bitstream of this run",
            )
        tried, wrong = host.test()
        payloads = []
        with progress.step("rows", len(codes)) as step:
            for payload in host.rows(served.frames(codes), served.output_bytes):
                payloads.append(payload)
                step.advance()
    finally:
        line.close()
    labels = None if found.labels is None else found.labels[: len(codes)]
    expected = served.net.evaluate(codes)
    outputs, column = served.outputs(payloads), served.net.class_output
    return Talked(tried, wrong, outputs, expected, found.what, labels, column)


def open_line(port: str, baud: int, seconds: float) -> Any:
    """Open a serial port, with nothing left on it of an earlier talk.

    Raises
    ------
    UsageError, ToolNotFound
        It cannot be opened; pyserial is not installed.
    """
    try:
        import serial
    except ImportError as error:
        raise ToolNotFound("serial ports need pyserial", why=str(error), fix=EXTRA) from error
    try:
        line = serial.Serial(port, baud, timeout=2 * QUIET_S, write_timeout=seconds)
        while line.read(256):
            pass
        line.timeout = seconds
    except (OSError, ValueError) as error:
        fix = "another port; on Linux, membership in the group of the device, mostly dialout"
        why = str(error)
        raise UsageError("the port cannot be opened", where=port, why=why, fix=fix) from error
    return line
