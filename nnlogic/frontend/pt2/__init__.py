"""PyTorch modules, as torch.export writes them."""

from nnlogic.frontend.pt2.format import FORMAT

__all__ = ["FORMAT"]
