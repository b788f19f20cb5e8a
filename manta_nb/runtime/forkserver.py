"""What the forkserver imports last: what every worker would work out anew, and memory that stays shared.

A garbage collection writes into the header of every object it looks at, and so takes a copy of nearly all of that
memory in every worker, template and child: 10 MB each. So it leaves alone what is there before the first fork.
Imported by nothing else.
"""

from __future__ import annotations

import gc

from distributed.versions import get_versions

__all__: list[str] = []

# every worker tells the scheduler its versions; they are read from files once and then remembered
get_versions()
gc.collect()
gc.freeze()
