"""What all trainable networks share: exact outputs of raw rows, computed by torch."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from nnlogic.core.formats import IntArray
from nnlogic.nn.quantizers import FeatureQuantizer
from nnlogic.quant.quantity import Quantity


class Classifier(nn.Module):
    """Input codes, layers, argmax; a subclass implements `scores` and `exact_scores`.

    Attributes
    ----------
    quantities : tuple of Quantity
        What the codes of the last layer stand for, where they are no scores of classes; there is
        no argmax then.
    """

    quantizer: FeatureQuantizer
    quantities: tuple[Quantity, ...] = ()

    def scores(self, codes: Tensor) -> Tensor:
        """Return class scores (float values) for input codes, shape (samples, classes)."""
        raise NotImplementedError

    def exact_scores(self, codes: Tensor) -> Tensor:
        """Return exact integer scores, int64 (samples, classes), for input codes."""
        raise NotImplementedError

    def forward(self, rows: Tensor) -> Tensor:
        """Return class scores of raw feature rows, shape (samples, classes)."""
        return self.scores(self.quantizer(rows))

    @torch.no_grad()
    def evaluate(self, rows: NDArray) -> IntArray:
        """Exact outputs of raw rows, computed by torch.

        Parameters
        ----------
        rows : array, shape (samples, features)
            Finite; cast to float32.

        Returns
        -------
        int64 array, shape (samples, classes + 1), or (samples, quantities)
            Integer scores, then the index of the largest, the lowest one in a tie; or codes.
        """
        raw = torch.from_numpy(np.asarray(rows, dtype=np.float32))
        codes = self.quantizer(raw.to(self.quantizer.thresholds.device))
        return self.evaluate_codes(codes).cpu().numpy()

    @torch.no_grad()
    def evaluate_codes(self, codes: Tensor) -> Tensor:
        """Return exact outputs for input codes, as `evaluate` does for raw rows."""
        scores = self.exact_scores(codes)
        if self.quantities:
            return scores
        # torch.argmax promises nothing about ties; this form prefers the lowest index.
        order = torch.arange(scores.shape[1], 0, -1, device=scores.device)
        winner = (scores * len(order) + order - 1).argmax(1, keepdim=True)
        return torch.cat([scores, winner], dim=1)
