"""What a report says of a network of quantities: how far off, and what it gives for rows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ErrorRow:
    """Error of one stage for one quantity, in the units of the user's rows.

    Attributes
    ----------
    stage : str
        As of an `AccuracyRow`.
    quantity : str
    n : int or None
        Rows.
    rmse, mae, bias : float or None
        Root of the mean square, mean size, and mean of what was found less what was wanted.
    p50, p90, p99 : float or None
        Quantiles of the size.
    detail : str
        On which rows.
    """

    stage: str
    quantity: str
    n: int | None = None
    rmse: float | None = None
    mae: float | None = None
    bias: float | None = None
    p50: float | None = None
    p90: float | None = None
    p99: float | None = None
    detail: str = ""


@dataclass(frozen=True)
class PredictionRow:
    """What the network gives for one of the first rows.

    Attributes
    ----------
    row : int
        From 0.
    quantity : str
    code : int
        Of the output.
    found : float
        The code in the units of the user, exactly.
    wanted : float or None
        What the row says.
    """

    row: int
    quantity: str
    code: int
    found: float
    wanted: float | None = None


ERROR_COLUMNS = ("stage", "quantity", ">RMSE", ">MAE", ">bias", ">90 % within", ">rows", "on")


def error_cells(row: ErrorRow) -> list[str]:
    """Print an error, in the units of the user's rows."""
    numbers = (row.rmse, row.mae, row.bias, row.p90)
    rows = "not run" if row.n is None else f"{row.n:,}"
    return [row.stage, row.quantity, *map(_number, numbers), rows, row.detail]


PREDICTION_COLUMNS = (">row", "quantity", ">code", ">found", ">wanted", ">off")


def prediction_cells(row: PredictionRow) -> list[str]:
    """Print what the network gives for a row."""
    off = None if row.wanted is None else row.found - row.wanted
    return [
        str(row.row), row.quantity, str(row.code), f"{row.found:.10g}",
        *("-" if v is None else f"{v:.6g}" for v in (row.wanted, off)),
    ]  # fmt: skip


def _number(value: float | None) -> str:
    return "not run" if value is None else f"{value:.4g}"
