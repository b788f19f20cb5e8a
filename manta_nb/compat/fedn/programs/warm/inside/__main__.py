"""A Python from which programs are forked: `python FLAGS inside STATE`, started by `warm.meeting`."""

import os
import sys

# what every Python of this kind has when it starts
EARLY = set(sys.modules)
# any Python runs this, also one that has no manta_nb
sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
__package__ = "inside"

# ruff: noqa: E402 - what is above decides where modules are found
import json

from .ending import conclude, end
from .lessons import tell
from .serving import Oven, State
from .stage import enter, program

del sys.path[0]
for name in [name for name in sys.modules if name.partition(".")[0] == "inside"]:
    del sys.modules[name]

if os.fork():
    # who started it need not wait for it to end
    os._exit(0)
ORDER = Oven(State(**json.loads(sys.argv[-1])), EARLY).serve()

# from here on in a program
BEFORE = set(sys.modules)
CODE = 0
try:
    enter(ORDER)
    # no function of ours is below the program's own
    RUN = program(ORDER)
    RUN()
except BaseException as error:  # noqa: BLE001 - whatever a program raises is how it ends
    CODE = conclude(error)
globals().pop("RUN", None)
tell(ORDER, BEFORE)
end(CODE, BEFORE)
