"""Data sets and input rows."""

from nnlogic.data.dataset import Dataset, load, names
from nnlogic.data.rows import read_rows

__all__ = ["Dataset", "load", "names", "read_rows"]
