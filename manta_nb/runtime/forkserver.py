"""What the forkserver imports last: what every worker would work out anew, and memory that stays shared.

A garbage collection writes into the header of every object it looks at, and so takes a copy of nearly all of that
memory in every worker, template and child: 10 MB each. So it leaves alone what is there before the first fork.
Imported by nothing else.
"""

from __future__ import annotations

import asyncio
import gc

import dask
import tornado.netutil
from distributed.versions import get_versions

from manta_nb.runtime.cleanpages import give_back
from manta_nb.runtime.orphans import unwatch
from manta_nb.runtime.runners.cleaning import find_pools

__all__: list[str] = []

# every worker tells the scheduler its versions; they are read from files once and then remembered
get_versions()
# every process loads the machine's certificates for its first TLS stream, though ours name their own: 22 ms
getattr(tornado.netutil, "_client_ssl_defaults", lambda: None)()
# what every worker and template does first: what it makes, and Python writes into code while that is new, stays shared
dask.config.refresh()
asyncio.run(asyncio.sleep(0))
find_pools()
unwatch()
gc.collect()
gc.freeze()
give_back()
