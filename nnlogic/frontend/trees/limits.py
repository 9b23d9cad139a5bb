"""How large a model of trees may be: checked before memory is taken for what a file claims."""

MOST_FEATURES = 1 << 16
MOST_CLASSES = 1 << 10
MOST_TREES = 1 << 17
MOST_NODES = 1 << 22
"""Of all trees together."""
MOST_DEPTH = 1 << 8
"""Splits one behind another in a tree."""
