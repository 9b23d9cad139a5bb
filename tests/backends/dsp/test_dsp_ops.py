"""The operations are the slice's: truth tables against the vendor's table, written out again."""

import pytest

from nnlogic.backends.dsp.model.ops import (
    AND,
    BY_OPCODE,
    BY_TABLE,
    ILLEGAL,
    NAND,
    OPCODE_OF_TABLE,
    OPERATIONS,
    TABLE_OF_OPCODE,
    XNOR,
    XOR,
    swapped,
)

# OPMODE[3:2], ALUMODE -> function of X and Z, as printed in UG479 (two-input logic unit).
VENDOR = {
    (0b00, 0b0100): lambda x, z: x ^ z,
    (0b00, 0b0101): lambda x, z: 1 ^ x ^ z,
    (0b00, 0b1100): lambda x, z: x & z,
    (0b00, 0b1101): lambda x, z: x & (1 ^ z),
    (0b00, 0b1110): lambda x, z: 1 ^ (x & z),
    (0b00, 0b1111): lambda x, z: (1 ^ x) | z,
    (0b10, 0b1100): lambda x, z: x | z,
    (0b10, 0b1101): lambda x, z: x | (1 ^ z),
    (0b10, 0b1110): lambda x, z: 1 ^ (x | z),
    (0b10, 0b1111): lambda x, z: (1 ^ x) & z,
}


def test_every_function_of_two_operands_is_there_once():
    both = {t for t in range(16) if t not in (0b0000, 0b1111, 0b1010, 0b0101, 0b1100, 0b0011)}
    assert set(BY_TABLE) == both
    assert len(BY_OPCODE) == len(OPERATIONS) == 10


@pytest.mark.parametrize("op", OPERATIONS, ids=lambda op: op.name)
def test_truth_tables_are_the_vendors(op):
    function = VENDOR[op.opmode >> 2 & 3, op.alumode]
    assert op.table == sum(function(i & 1, i >> 1) << i for i in range(4))
    assert op.opmode & 0b1110011 == 0b0110011
    assert op.opcode == (op.opmode >> 3 & 1) << 4 | op.alumode


@pytest.mark.parametrize("op", OPERATIONS, ids=lambda op: op.name)
def test_operands_can_be_exchanged(op):
    assert swapped(op.table) in BY_TABLE
    for i in range(4):
        x, z = i & 1, i >> 1
        assert swapped(op.table) >> (z + 2 * x) & 1 == op.table >> i & 1


def test_lookups_are_inverse_and_closed():
    for table in range(16):
        if table in BY_TABLE:
            assert TABLE_OF_OPCODE[OPCODE_OF_TABLE[table]] == table
        else:
            assert OPCODE_OF_TABLE[table] == ILLEGAL
    assert (TABLE_OF_OPCODE != ILLEGAL).sum() == 10


def test_one_operand_twice_gives_copy_inverter_and_constants():
    values = [[t & 1, t >> 3] for t in (AND, NAND, XOR, XNOR)]
    assert values == [[0, 1], [1, 0], [0, 0], [1, 1]]
