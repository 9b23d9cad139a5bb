"""A kind of file that is no network nnlogic reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from nnlogic.frontend.look import Look

TRAIN = "train it as an nnlogic.nn network, and save that with nnlogic.nn.save_checkpoint"
XGBOOST = 'train it with xgboost, and save it with model.save_model("model.json")'
LIGHTGBM = 'save it with booster.save_model("model.txt")'
SAVE_MODEL = 'save it with model.save_model("model.json")'


@dataclass(frozen=True)
class Kind:
    """A kind of file, known by its first bytes, by a look into it, or else by its name.

    Attributes
    ----------
    what : str
        With an article: ``"an ONNX model"``.
    fix : str
        The command or export that leads in.
    starts : tuple of bytes
        First bytes.
    suffixes : tuple of str
        Of names, in small letters; a name counts only where the content tells nothing.
    look : callable, optional
        Whether the content is of the kind.
    inside : bool
        A network in a container, a torch file say, that an importer claims and would refuse without
        knowing more.
    general : int
        More than 0 where this is said only when nothing more special is known, of lower number, and
        no importer may read it.
    """

    what: str
    fix: str
    starts: tuple[bytes, ...] = ()
    suffixes: tuple[str, ...] = ()
    look: Callable[[Look], bool] | None = None
    inside: bool = False
    general: int = 0

    def holds(self, file: Look) -> bool:
        """Whether the content of a file is of this kind."""
        if self.starts and file.head.startswith(self.starts):
            return True
        return self.look is not None and self.look(file)
