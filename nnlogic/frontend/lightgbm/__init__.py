"""Boosted trees and forests of LightGBM."""

from nnlogic.frontend.lightgbm.format import FORMAT

__all__ = ["FORMAT"]
