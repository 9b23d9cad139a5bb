"""Networks of tables that KANELE exported."""

from nnlogic.frontend.kanele.format import FORMAT

__all__ = ["FORMAT"]
