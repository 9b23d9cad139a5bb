"""Linear projections that are fitted to rows, not trained: PCA, ICA, random ones."""

from __future__ import annotations

import warnings

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nnlogic.core.errors import ToolNotFound
from nnlogic.model.layer import PRUNED, WEIGHT_BITS, LayerSpec
from nnlogic.nn.codes import Codes
from nnlogic.nn.connect import strongest
from nnlogic.nn.families.linear import LinearSums
from nnlogic.nn.family import refuse

METHODS = ("pca", "ica", "random")
TINY = 1e-9
ITERATIONS = 400


class Projection(LinearSums):
    """Sums whose weights come from the training rows; only offset and scale of each are learned.

    ``"pca"``: directions of most variance of the standardized inputs. ``"ica"``: independent
    components (FastICA, Hyvarinen 1999, by scikit-learn). ``"random"``: signs, on `fan_in` wires
    each (Achlioptas 2003). Then they are rounded, to `weight_bits` or to a number format such as
    ``shift(4)``, whose products are shifts, and compiled as any sum: adders, or tables where few
    bits are read. Until they have seen rows, all are random.

    Parameters
    ----------
    x : Codes
    spec : LayerSpec
        A `fan_in` below all keeps the connections that carry most of each output.
    generator : torch.Generator
    method : str
    weight_bits, weights
        As of `LinearSums`.
    """

    kind = "projection"
    shrinks = False
    fits = True

    def __init__(
        self,
        x: Codes,
        spec: LayerSpec,
        generator: torch.Generator,
        *,
        method: str = "pca",
        weight_bits: int = WEIGHT_BITS,
        weights: str = "",
    ) -> None:
        if method not in METHODS:
            raise refuse(spec, f"method {method!r}", f"use one of {', '.join(METHODS)}")
        if spec.connect == PRUNED:
            why = "what is fitted is not pruned in training"
            raise refuse(spec, why, "fan_in keeps the strongest connections")
        if method != "random" and spec.width > len(x.bits):
            why = f"{spec.width} components of {len(x.bits)} inputs"
            raise refuse(spec, why, f"width up to {len(x.bits)}, or method = 'random'")
        super().__init__(x, spec, generator, weight_bits=weight_bits, weights=weights)
        self.method = method
        weight = self.linear.weight
        weight.requires_grad_(False)
        with torch.no_grad():
            weight.copy_(torch.where(weight >= 0, 1.0, -1.0))

    @torch.no_grad()
    def fit(self, x: Tensor) -> None:
        """Find the projection of values (rows, inputs); of a random one nothing depends on them."""
        if self.method == "random":
            return
        rows = x.cpu().to(torch.float64).numpy()
        spread = rows.std(0)
        # An input that never changes carries nothing, whatever its weight.
        standard = (rows - rows.mean(0)) / np.where(spread > TINY, spread, np.inf)
        found = _directions(self.method, standard, self.spec.width)
        share = torch.from_numpy(found)
        mask = strongest(share, torch.ones_like(share), self.linear.fan_in)
        weight = found / np.where(spread > TINY, spread, np.inf)
        device = self.linear.weight.device
        self.linear.mask.copy_(mask.to(device))
        self.linear.weight.copy_(torch.from_numpy(weight).to(device))


def _directions(method: str, rows: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Return so many directions, (count, inputs), each up to its sign: the largest entry is > 0."""
    try:
        from sklearn.decomposition import PCA, FastICA
        from sklearn.exceptions import ConvergenceWarning
    except ImportError as error:
        fix = "pip install 'nnlogic[train]'"
        raise ToolNotFound("scikit-learn is needed and not installed", fix=fix) from error
    if method == "pca":
        out = PCA(count, svd_solver="full").fit(rows).components_
    else:
        made = FastICA(count, whiten="unit-variance", max_iter=ITERATIONS, tol=1e-3, random_state=0)
        with warnings.catch_warnings():
            # The last directions are as good as any: rows may have no independent components.
            warnings.simplefilter("ignore", ConvergenceWarning)
            out = made.fit(rows).components_
    top = np.abs(out).argmax(1)
    signs = np.sign(out[np.arange(len(out)), top])
    turned: NDArray[np.float64] = out * np.where(signs == 0, 1, signs)[:, None]
    return turned


FAMILY = Projection
