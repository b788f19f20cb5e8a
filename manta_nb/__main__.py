"""`python -m manta_nb`: the command line."""

from __future__ import annotations

import sys

from manta_nb.cli.main import main

# Worker processes import this file, too, under another name.
if __name__ == "__main__":
    sys.exit(main())
