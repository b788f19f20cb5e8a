"""What the forkserver imports last: from then on its garbage collector leaves alone what every worker shares.

A collection writes into the header of every object it looks at, and so takes a copy of nearly all of that memory in
every worker, template and child: 10 MB each. Imported by nothing else.
"""

from __future__ import annotations

import gc

__all__: list[str] = []

gc.collect()
gc.freeze()
