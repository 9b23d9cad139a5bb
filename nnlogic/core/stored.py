"""What every IR is on disk: a versioned archive of its fields."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Self

from numpy.typing import NDArray

from nnlogic.core.archive import read_archive, write_archive
from nnlogic.core.errors import CheckpointError, IRError, MalformedError
from nnlogic.core.fields import read_fields, write_fields
from nnlogic.core.inert import visible

MOST = 20
"""Problems listed at most."""


class Stored:
    """Base of the frozen dataclasses that have a file of their own.

    Attributes
    ----------
    kind : str
        What the file says it holds.
    version : int
        Of the layout; other versions are refused.
    """

    kind: ClassVar[str]
    version: ClassVar[int] = 1

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        # Of its own, or the dataclass would write one with all arrays.
        cls.__repr__ = Stored.__repr__  # type: ignore[method-assign]

    def __repr__(self) -> str:
        """Return kind, name and sizes in one line."""
        stats: dict[str, int] = getattr(self, "stats", dict)()
        sizes = ", ".join(f"{what} {count}" for what, count in stats.items())
        name = visible(getattr(self, "name", ""))
        return f"<{' '.join(filter(None, (self.kind, name)))}{': ' * bool(sizes)}{sizes}>"

    def parts(self) -> tuple[dict[str, Any], dict[str, NDArray]]:
        """Return JSON metadata and arrays that describe all fields; see `nnlogic.core.fields`."""
        arrays: dict[str, NDArray] = {}
        return write_fields(self, "", arrays), arrays

    @classmethod
    def from_parts(cls, meta: dict[str, Any], arrays: dict[str, NDArray]) -> Self:
        """Inverse of `parts`.

        Raises
        ------
        MalformedError
            Something is missing, of another type, or out of range; all that is.
        """
        return cls(**read_fields(cls, meta, "", arrays))

    def verify(self) -> None:
        """Raise IRError, with all problems, when a rule is broken."""

    def save(self, path: Path) -> None:
        """Write to a versioned file."""
        write_archive(path, self.kind, self.version, *self.parts())

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote, and verify it.

        Raises
        ------
        CheckpointError
            The file is missing, damaged, incomplete, of another kind or of an unknown version; or
            what it holds breaks a rule of its kind.
        """
        _, meta, arrays = read_archive(path, cls.kind, (cls.version,))
        try:
            value = cls.from_parts(meta, arrays)
        except MalformedError as error:
            raise CheckpointError(
                f"{cls.kind} file is incomplete, or not understood",
                where=str(path),
                problems=error.problems,
            ) from error
        try:
            value.verify()
        except IRError as error:
            # Of a value that nnlogic made, this is a bug; of one in a file, the file's.
            raise CheckpointError(
                f"{cls.kind} file breaks the rules of its kind",
                where=str(path),
                why=error.why or error.what * (not error.problems),
                problems=error.problems[:MOST],
            ) from error
        return value
