"""Mixed designs: a network as a chain of segments, each compiled by the backend that suits it."""

from nnlogic.mixed.chain import Chain, Segment
from nnlogic.mixed.split import split

__all__ = ["Chain", "Segment", "split"]
