"""A core on a board: a bitstream, simulated at its pins, and a host that talks to it."""

import json
import os
import threading
import tty
from dataclasses import replace

import numpy as np
import pytest

from nnlogic.cli.main import main
from nnlogic.core.errors import Different, TargetMissed, ToolFailed, ToolTimeout, UsageError
from nnlogic.flows import board_build
from nnlogic.flows.board_build import Built, build_board, clocks_of_bit, divisor, plan_board
from nnlogic.flows.boards import Board
from nnlogic.flows.reports import PnrReport
from nnlogic.hw.board.protocol import REFUSED, ROW, TEST, WHO, frame
from nnlogic.run import board_run, compile
from nnlogic.run.served import Served
from nnlogic.run.talk_run import talk
from nnlogic.sim.board import Heard


@pytest.fixture(scope="module")
def run(tmp_path_factory, make_net):
    place = tmp_path_factory.mktemp("board")
    make_net(widths=(4, 3), features=8, fan_in=2).save(place / "net.safetensors")
    how = {"target": "ice40", "effort": "fast", "drop_unused": True}
    return compile(place / "net.safetensors", place / "run", **how).path


@pytest.fixture(scope="module")
def served(run):
    return Served.of(run)


def test_a_core_takes_the_bits_it_reads(served):
    ports = served.design.inputs, served.net.inputs
    bits = [sum(p.format.bits for p in each) for each in ports]
    assert bits[0] < bits[1]
    codes = served.rows(None).codes
    # Bits that are not read are not sent: rows that differ there alone are one frame.
    assert len(set(served.frames(codes))) <= 1 << bits[0]
    assert {len(f) for f in served.frames(codes)} == {len(frame(ROW, bytes(served.input_bytes)))}


def planned(served, name, baud=115200, tests=3):
    codes = served.rows(None).codes[:tests]
    core = {served.core.name: served.core.read_bytes()}
    return plan_board(Board.of(name), served.shell(codes), core, baud, served.design.latency)


def test_a_board_is_made_and_simulated_from_pin_to_pin(run, tmp_path, monkeypatch, capsys):
    differences = []
    whole = board_run.check_board

    def also_with_wrong_answers(served, plan, built, *more):
        verdicts = whole(served, plan, built, *more)

        class Liar(Served):
            def answer(self, codes):
                first, *rest = super().answer(codes)
                return [bytes([first[0] ^ 1, *first[1:]]), *rest]

        monkeypatch.setattr(board_run, "board_model", lambda *a, **k: more[3] / "sim/obj/model")
        differences.extend(whole(Liar(**vars(served)), plan, built, *more))
        return verdicts

    monkeypatch.setattr(board_run, "check_board", also_with_wrong_answers)
    out = tmp_path / "made"
    assert main(["board", "icebreaker", str(run), "-o", str(out), "--test-rows", "16"]) == 0
    facts = json.loads((out / "board.json").read_text())
    assert (out / "board.bin").stat().st_size > 100_000
    assert facts["fmax_mhz"] > facts["clock_mhz"] == 12.0
    assert facts["digest"] == Served.of(run).digest.hex()
    assert 0 < facts["used"]["ICESTORM_LC"][0] < 5280
    simulated, fault = facts["checks"]
    assert simulated.startswith("network = ")
    assert "sampled n=8" in simulated
    assert fault.startswith("planted fault = seen by the host and by the self-test")
    assert "self-test by button" in fault
    assert not differences[0].equal
    assert "byte 7 is wrong" in differences[0].detail
    told = capsys.readouterr().out
    assert "12 MHz of the board" in told
    assert main(["board", "icebreaker", str(run), "-o", str(out)]) == 2
    (out / "board.json").unlink()
    assert main(["board", "icebreaker", str(run), "-o", str(out), "--force"]) == 2


def test_a_fault_that_nobody_sees_fails_the_check():
    class Deaf(board_run.Host):
        def say(self, frames, press=False, fault=0):
            return Heard(b"same", True, False, 1)

    verdict = board_run._fault(Deaf(None, 1.0, None, 0), [], b"same", True)
    assert not verdict.equal
    assert "fault 8: host False, self-test False" in verdict.detail


@pytest.mark.parametrize("name", ["ulx3s", "orangecrab", "hx8k"])
def test_pins_and_clock_are_those_of_the_platform(served, name):
    plan = planned(served, name)
    platform = Board.of(name).open_platform()
    assert plan.clock_hz == platform.default_clk_frequency
    pins = next(d for n, d in plan.files.items() if n.endswith((".lpf", ".pcf"))).decode()
    assert all(str(pin.name) in pins for pin in plan.pins.values())
    assert ("button" in plan.pins) == (name != "hx8k")
    if name == "orangecrab":
        assert 'SITE "N17"' in pins  # pin 0 of the connector, by the package
        assert plan.pins["passed"].inverted
    assert plan.commands[0][0] == "yosys"


def test_every_board_has_the_resources_it_names():
    for name in Board.names():
        board = Board.of(name)
        ports = board_build._ports(board.open_platform(), board)
        assert {"rx", "tx", "passed", "failed"} <= set(ports)


def test_a_board_of_a_user(served, tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(
        '[board.mine]\ntitle = "Mine"\ntarget = "ice40"\n'
        'platform = "amaranth_boards.tinyfpga_bx:TinyFPGABXPlatform"\npassed = "led 0"\n'
        'wires = { connector = "gpio 0", rx = "1", tx = "2" }\nfailed = "led 0"\n'
    )
    with pytest.raises(UsageError, match="lamp of passed"):
        Board.of(file)
    file.write_text(file.read_text().replace('failed = "led 0"', 'failed = ""'))
    assert set(planned(served, file).pins) == {"rx", "tx", "passed"}
    file.write_text('[board.mine]\ntitle = "Mine"\ntarget = "xcup"\ncolour = 3\n')
    with pytest.raises(UsageError) as error:
        Board.of(file)
    assert {p.where for p in error.value.problems} >= {"board.mine.colour", "board.mine.platform"}
    with pytest.raises(UsageError, match="icebreaker"):
        Board.of("icebraker")


@pytest.mark.parametrize(("baud", "why"), [(5_000_000, "2.40 clocks"), (2_200_000, "5.45 clocks")])
def test_a_line_that_the_clock_cannot_make_is_refused(baud, why):
    with pytest.raises(UsageError, match=why):
        clocks_of_bit(12e6, baud)
    assert clocks_of_bit(12e6, 115200) == 104


def test_what_does_not_fit_or_is_too_slow_is_refused(served, tmp_path, monkeypatch):
    plan = planned(served, "icebreaker")

    def full(tool, arguments, **options):
        if tool.name != "yosys":
            raise ToolFailed(
                "nextpnr failed", why="ERROR: Unable to place cell 'x', no BELs remaining"
            )

    monkeypatch.setattr(board_build, "run_tool", full)
    with pytest.raises(TargetMissed, match="does not fit"):
        build_board(plan, tmp_path)
    monkeypatch.setattr(board_build, "run_tool", lambda *a, **k: None)
    slow = {"fmax": {"clk": {"achieved": 11.5, "constraint": 12}}, "utilization": {}}
    (tmp_path / "pnr.json").write_text(json.dumps(slow))
    built = build_board(plan, tmp_path)
    assert divisor(plan, built.pnr) == 2
    # With half of the clock 11.5 MHz are enough; a divider that is too slow is not hidden by it.
    halved = replace(plan, divide=2)
    assert divisor(halved, PnrReport(11.5, {}, None, 6.0)) == 2
    assert divisor(halved, PnrReport(2.9, {}, None, 6.0)) == 8
    with pytest.raises(TargetMissed, match="cannot be divided"):
        divisor(halved, built.pnr)


def test_a_core_too_slow_for_the_board_gets_a_clock_that_it_meets(run, tmp_path, monkeypatch):
    tried = []

    def slow_at_first(plan, folder, **options):
        tried.append(plan.divide)
        if plan.divide == 1:
            return Built(folder, folder, PnrReport(7.5, {}, None, 12.0), ())
        return build_board(plan, folder, **options)

    monkeypatch.setattr(board_run, "build_board", slow_at_first)
    # Simulating it takes a minute, and is what everyone does who makes such a board.
    done = board_run.board("icebreaker", run, tmp_path / "made", test_rows=2, simulate=False)
    assert tried == [1, 2]
    assert (done.facts["clock_mhz"], done.facts["board_mhz"]) == (6.0, 12.0)
    assert done.facts["fmax_mhz"] > 6.0
    assert (tmp_path / "made" / "board.pcf").read_text().count("set_frequency") == 2


def crc8(data):
    """CRC-8 of the polynomial x^8 + x^2 + x + 1, bit by bit."""
    rest = 0
    for byte in data:
        rest ^= byte
        for _ in range(8):
            rest = (rest << 1 ^ (0x107 if rest & 0x80 else 0)) & 0xFF
    return rest


class Twin(threading.Thread):
    """A board in software, written from the guide: it reads and writes one end of a terminal."""

    def __init__(self, served, *, digest=None, wrong=(), broken=()):
        super().__init__(daemon=True)
        self.served, self.digest = served, digest or served.digest
        self.wrong, self.broken = set(wrong), set(broken)
        self.end, self.other = os.openpty()
        tty.setraw(self.other)
        self.port = os.ttyname(self.other)
        self.rows = 0

    def close(self):
        # Without another end a read fails: only then may the number of this end be used again.
        os.close(self.other)
        self.join()
        os.close(self.end)

    def take(self, size):
        data = b""
        while len(data) < size:
            data += os.read(self.end, size - len(data))
        return data

    def run(self):
        try:
            while True:
                self.answer(self.take(1))
        except OSError:
            pass

    def answer(self, kind):
        body = kind + self.take(self.served.input_bytes if kind == b"r" else 0)
        if crc8(body) != self.take(1)[0]:
            os.write(self.end, frame(REFUSED))
        elif kind == WHO:
            os.write(self.end, frame(WHO, self.digest))
        elif kind == TEST:
            os.write(self.end, frame(TEST, bytes([5, 1, 1 if self.wrong else 0, 0])))
        else:
            os.write(self.end, self.row(body[1:]))
            self.rows += 1

    def row(self, payload):
        value, codes = int.from_bytes(payload, "little"), []
        for port in self.served.design.inputs:
            codes.append(value & (1 << port.format.bits) - 1)
            value >>= port.format.bits
        outputs = self.served.design.logic.evaluate(np.array([codes]))[0]
        word = at = 0
        for port, code in zip(self.served.design.outputs, outputs, strict=True):
            word |= int(code) << at
            at += port.format.bits
        data = bytearray(
            frame(ROW, (word ^ (self.rows in self.wrong)).to_bytes(-(-at // 8), "little"))
        )
        data[1] ^= self.rows in self.broken
        return bytes(data)


@pytest.fixture
def twin(served):
    made = []

    def make(**options):
        made.append(Twin(served, **options))
        made[-1].start()
        return made[-1].port

    yield make
    for one in made:
        one.close()


def test_a_host_talks_to_a_board(run, twin, capsys):
    assert main(["talk", twin(), str(run), "--limit", "50", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["rows"] == 50
    assert told["different"] == told["self_test_wrong"] == 0
    assert told["self_test_rows"] == 261


def test_wrong_answers_are_found(run, twin, capsys):
    assert main(["talk", twin(wrong=[3, 20]), str(run), "--limit", "30"]) == 1
    out = capsys.readouterr().out
    assert "different                2" in out
    assert "row 3: " in out
    assert "row 20: " in out


def test_another_core_a_damaged_answer_and_silence_are_named(run, twin):
    with pytest.raises(Different, match="another core"):
        talk(twin(digest=b"else"), run)
    with pytest.raises(ToolFailed, match="damaged"):
        talk(twin(broken=[0]), run, limit=3)
    end, other = os.openpty()
    tty.setraw(other)
    with pytest.raises(ToolTimeout, match="does not answer"):
        talk(os.ttyname(other), run, seconds=0.1)
    os.close(end)
    os.close(other)
    with pytest.raises(UsageError, match="port"):
        talk("/dev/no-such-port", run)


def test_frames_are_as_the_guide_says(served):
    codes = served.rows(None).codes[:2]
    assert frame(WHO) == bytes([0x3F, crc8(b"?")])
    data = served.frames(codes)[0]
    assert data[:1] == b"r"
    assert len(data) == served.input_bytes + 2
    outputs = served.outputs(served.answer(codes))
    assert (outputs == served.net.evaluate(codes)).all()
    assert replace(served).digest == served.digest
