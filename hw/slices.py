"""The DSP cells: what sets their generations apart, their settings, and their simulation model."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files as resources

from amaranth.hdl import Const

from nnlogic.core.errors import UsageError
from nnlogic.hw.slice_kinds import DSP48E1, DSP48E2, KINDS


@dataclass(frozen=True)
class Cell:
    """What sets the two generations of the DSP cell apart, in the modes used here.

    Attributes
    ----------
    name : str
    d_bits, opmode_bits : int
        Widths of ports D and OPMODE.
    parameters : dict of str to (int or str)
        Parameters this generation has and the other lacks.
    """

    name: str
    d_bits: int
    opmode_bits: int
    parameters: dict[str, int | str | Const]


CELLS = {
    DSP48E1: Cell("DSP48E1", 25, 7, {"USE_DPORT": "FALSE"}),
    DSP48E2: Cell(
        "DSP48E2",
        27,
        9,
        {
            "AMULTSEL": "A",
            "BMULTSEL": "B",
            "PREADDINSEL": "A",
            "AUTORESET_PRIORITY": "RESET",
            "RND": Const(0, 48),
            "USE_WIDEXOR": "FALSE",
            "XORSIMD": "XOR24_48_96",
        },
    ),
}

# A, B, C, OPMODE, ALUMODE and P are registered once. The multiplier is off, which asks for
# MREG = 0. Registers of unused inputs are present and never enabled: they do not toggle.
PARAMETERS: dict[str, int | str | Const] = {
    **dict.fromkeys(("AREG", "BREG", "CREG", "PREG", "ACASCREG", "BCASCREG"), 1),
    **dict.fromkeys(("OPMODEREG", "ALUMODEREG", "CARRYINREG", "CARRYINSELREG"), 1),
    **dict.fromkeys(("INMODEREG", "ADREG", "DREG"), 1),
    "MREG": 0,
    "USE_MULT": "NONE",
    "USE_SIMD": "ONE48",
    "A_INPUT": "DIRECT",
    "B_INPUT": "DIRECT",
    "USE_PATTERN_DETECT": "NO_PATDET",
    "AUTORESET_PATDET": "NO_RESET",
    "SEL_MASK": "MASK",
    "SEL_PATTERN": "PATTERN",
    "MASK": Const(0x3FFF_FFFF_FFFF, 48),
    "PATTERN": Const(0, 48),
}
RESETS = (
    *("RSTA", "RSTB", "RSTC", "RSTD", "RSTM", "RSTP"),
    *("RSTCTRL", "RSTALUMODE", "RSTALLCARRYIN", "RSTINMODE"),
)
CASCADES = {"ACIN": 30, "BCIN": 18, "PCIN": 48, "CARRYCASCIN": 1, "MULTSIGNIN": 1}
MODELS = "dsp48_models.v"


def model_text() -> str:
    """Return the simulation model of DSP48E1 and DSP48E2 in the modes used."""
    return resources("nnlogic.hw").joinpath(MODELS).read_text()


def check_kind(kind: str) -> str:
    """Return `kind`.

    Raises
    ------
    UsageError
        Not a kind of slice.
    """
    if kind not in KINDS:
        raise UsageError(f"no slice called {kind!r}", fix=f"choose one of {', '.join(KINDS)}")
    return kind
