"""``python -m nnlogic`` is the command ``nnlogic``."""

import sys

from nnlogic.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
