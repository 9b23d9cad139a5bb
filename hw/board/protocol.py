"""Frames that a host and a board exchange, in both directions: kind, payload, check byte.

The host sends a row, or asks who the board is, or for a self-test; each frame has one answer, of
the same kind, in order. The board answers `REFUSED` to a frame with a wrong check byte, to a kind
it does not know, and to a frame that ends early, once the line was quiet for `QUIET_S`; what came
in between is lost. At most `WINDOW` frames of a host may wait for their answers.

Numbers of several bytes begin with the least significant. The values of a row's ports follow each
other as on ``s_axis_tdata`` of the stream wrapper: port 0 in the lowest bits, zeros above the last.
"""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.lib.crc import Parameters
from amaranth.lib.crc.catalog import CRC8_SMBUS

CHECK = Parameters(CRC8_SMBUS, data_width=8)
"""Check byte: CRC-8 with the polynomial 0x07, of kind and payload."""
ROW, WHO, TEST, REFUSED = b"r", b"?", b"t", b"!"
WINDOW = 16
QUIET_S = 0.02
DIGEST_BYTES = 4
"""An answer to `WHO` is as many bytes of the SHA-256 of the core's Verilog."""
COUNT_BYTES = 2
"""An answer to `TEST` is two counts of as many bytes: rows that were tried, and wrong answers."""


def frame(kind: bytes, payload: bytes = b"") -> bytes:
    """Return a frame."""
    body = kind + payload
    return body + bytes([CHECK.compute(body)])


def bytes_of(widths: Sequence[int]) -> int:
    """Return the bytes that ports of these bits take together."""
    return -(-sum(widths) // 8)
