"""A core between a serial line, a button and two lamps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Cat, ClockSignal, Const, Instance, Module, Mux, ResetSignal, Signal, Value
from amaranth.lib import memory, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

from nnlogic.hw.board.protocol import (
    CHECK,
    COUNT_BYTES,
    DIGEST_BYTES,
    REFUSED,
    ROW,
    TEST,
    WHO,
    bytes_of,
)
from nnlogic.hw.board.sender import Sender
from nnlogic.hw.board.uart import Receiver


@dataclass(frozen=True)
class ShellParameters:
    """What a shell is made for.

    Attributes
    ----------
    core : str
        Module name of the core.
    inputs, outputs : tuple of (str, int)
        RTL name and width of the core's data ports.
    digest : bytes
        What the board says of itself; `DIGEST_BYTES` long.
    tests : tuple of (int, int)
        Rows of the self-test and the right answers, as numbers with port 0 in the lowest bits; at
        least one.
    clocks : int
        Of a bit on the line.
    quiet : int
        Clocks without a byte after which a frame is over.
    """

    core: str
    inputs: tuple[tuple[str, int], ...]
    outputs: tuple[tuple[str, int], ...]
    digest: bytes
    tests: Sequence[tuple[int, int]]
    clocks: int
    quiet: int

    @property
    def input_bytes(self) -> int:
        """Payload of a row."""
        return bytes_of([width for _, width in self.inputs])

    @property
    def output_bytes(self) -> int:
        """Payload of an answer."""
        return bytes_of([width for _, width in self.outputs])


class Shell(wiring.Component):
    """Answers frames of `nnlogic.hw.board.protocol`; tests itself at the start and on the button.

    Attributes
    ----------
    rx, tx : Signal, in and out
        The serial line.
    button : Signal, in
        High when pressed; of any clock. What it asks for begins when the line is quiet.
    passed, failed : Signal, out
        Of the last self-test; both low while it runs.
    """

    def __init__(self, parameters: ShellParameters) -> None:
        self.parameters = parameters
        super().__init__(
            {
                "rx": In(1, init=1),
                "tx": Out(1, init=1),
                "button": In(1),
                "passed": Out(1),
                "failed": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the module."""
        m = Module()
        p = self.parameters
        n_in, n_out = (sum(width for _, width in side) for side in (p.inputs, p.outputs))
        longest = max(p.output_bytes, DIGEST_BYTES, 2 * COUNT_BYTES)
        m.submodules.receiver = rx = Receiver(p.clocks)
        m.submodules.sender = tx = Sender(p.clocks, longest)
        m.submodules.check = check = CHECK.create()
        words = [row | answer << n_in for row, answer in p.tests]
        m.submodules.tests = tests = memory.Memory(shape=n_in + n_out, depth=len(words), init=words)
        test = tests.read_port()
        m.d.comb += [rx.line.eq(self.rx), self.tx.eq(tx.line)]
        m.d.comb += [check.data.eq(rx.data), check.valid.eq(rx.valid)]

        row = Signal(8 * p.input_bytes)
        testing, start, done, fresh = Signal(), Signal(), Signal(), Signal()
        answer = Signal(n_out)
        x = Mux(testing, test.data[:n_in], row[:n_in])
        m.submodules.core = _core(p, x, answer, start, done, fresh)

        pressed, before, wanted = Signal(), Signal(), Signal()
        m.submodules.button = FFSynchronizer(self.button, pressed)
        m.d.sync += before.eq(pressed)
        with m.If(pressed & ~before):
            m.d.sync += wanted.eq(1)

        left = Signal(range(p.input_bytes + 1))
        quiet = Signal(range(p.quiet + 1))
        asked = Signal()  # a host waits for the self-test
        at = Signal(range(len(words) + 1))
        tried, wrong = Signal(8 * COUNT_BYTES), Signal(8 * COUNT_BYTES)
        over = Signal()
        m.d.comb += [test.addr.eq(at), over.eq(quiet == p.quiet)]
        with m.If(rx.valid | rx.busy):
            m.d.sync += quiet.eq(0)
        with m.Elif(~over):
            m.d.sync += quiet.eq(quiet + 1)

        def reply(kind: bytes, payload: Value | int = 0, length: int = 0) -> None:
            m.d.comb += [
                tx.kind.eq(kind[0]), tx.payload.eq(payload), tx.length.eq(length), tx.valid.eq(1)
            ]  # fmt: skip

        def begin_test(for_host: int) -> None:
            m.d.sync += [at.eq(0), tried.eq(0), wrong.eq(0), asked.eq(for_host)]
            m.d.sync += [self.passed.eq(0), self.failed.eq(0), wanted.eq(0)]
            m.next = "FETCH"

        with m.FSM():
            with m.State("START"):
                # Some families have no reset: what the core holds at first must not count.
                m.d.comb += fresh.eq(1)
                m.d.sync += left.eq(1)
                with m.If(left == 1):
                    begin_test(0)
            with m.State("IDLE"):
                m.d.comb += check.start.eq(1)
                m.d.sync += left.eq(p.input_bytes)
                with m.If(rx.valid), m.Switch(rx.data):
                    with m.Case(ROW[0]):
                        m.next = "ROW"
                    with m.Case(WHO[0]):
                        m.next = "WHO"
                    with m.Case(TEST[0]):
                        m.next = "TEST"
                    with m.Default():
                        m.next = "REFUSE"
                with m.Elif(wanted & over):
                    begin_test(0)
            with m.State("ROW"):
                with m.If(rx.valid):
                    with m.If(left != 0):
                        m.d.sync += [row.eq(Cat(row, rx.data)[8:]), left.eq(left - 1)]
                    with m.Else():
                        m.next = "ROW CHECK"
                with m.Elif(over):
                    m.next = "REFUSE"
            for name in ("WHO", "TEST"):
                with m.State(name):
                    with m.If(rx.valid):
                        m.next = f"{name} CHECK"
                    with m.Elif(over):
                        m.next = "REFUSE"
            with m.State("ROW CHECK"):
                m.d.comb += start.eq(check.match_detected)
                m.next = "REFUSE"
                with m.If(check.match_detected):
                    m.next = "COMPUTE"
            with m.State("COMPUTE"), m.If(done):
                reply(ROW, answer, p.output_bytes)
                m.next = "IDLE"
            with m.State("WHO CHECK"):
                m.next = "REFUSE"
                with m.If(check.match_detected):
                    reply(WHO, Const(int.from_bytes(p.digest, "little")), DIGEST_BYTES)
                    m.next = "IDLE"
            with m.State("TEST CHECK"):
                m.next = "REFUSE"
                with m.If(check.match_detected):
                    begin_test(1)
            with m.State("FETCH"):
                m.next = "TRY"
            with m.State("TRY"):
                m.d.comb += [testing.eq(1), start.eq(1)]
                m.next = "COMPARE"
            with m.State("COMPARE"), m.If(done):
                m.d.sync += [at.eq(at + 1), tried.eq(tried + 1)]
                with m.If(answer != test.data[n_in:]):
                    m.d.sync += wrong.eq(wrong + 1)
                m.next = "FETCH"
                with m.If(at == len(words) - 1):
                    m.next = "TESTED"
            with m.State("TESTED"):
                m.d.sync += [self.passed.eq(wrong == 0), self.failed.eq(wrong != 0)]
                with m.If(asked):
                    reply(TEST, Cat(tried, wrong), 2 * COUNT_BYTES)
                m.next = "IDLE"
            with m.State("REFUSE"), m.If(over):
                reply(REFUSED)
                m.next = "IDLE"
        return m


def _core(
    p: ShellParameters, x: Value, y: Signal, start: Signal, done: Signal, fresh: Signal
) -> Instance:
    """Return the core with its ports cut from two vectors."""
    pins: dict[str, Any] = {
        "i_clk": ClockSignal(),
        "i_rst": fresh | ResetSignal(allow_reset_less=True),
        "i_in_valid": start,
        "o_out_valid": done,
    }
    for ports, vector, way in ((p.inputs, x, "i"), (p.outputs, y, "o")):
        place = 0
        for name, width in ports:
            pins[f"{way}_{name}"] = vector[place : place + width]
            place += width
    return Instance(p.core, **pins)
