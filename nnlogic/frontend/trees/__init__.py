"""Boosted trees of xgboost and scikit-learn."""

from nnlogic.frontend.trees.format import FORMAT

__all__ = ["FORMAT"]
