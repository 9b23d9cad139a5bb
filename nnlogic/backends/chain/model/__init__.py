"""Mixed designs: a network as a chain of segments, each compiled by the backend that suits it."""

from nnlogic.backends.chain.model.chain import Chain, Segment
from nnlogic.backends.chain.model.split import split

__all__ = ["Chain", "Segment", "split"]
