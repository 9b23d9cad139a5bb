"""Data sets and input rows."""

from nnlogic.data.dataset import Dataset, load, names
from nnlogic.data.tabular import read_rows, read_table

__all__ = ["Dataset", "load", "names", "read_rows", "read_table"]
