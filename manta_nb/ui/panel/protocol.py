"""The messages between a kernel and the JupyterLab extension; `extension/src/protocol.ts` says the same in TypeScript.

Three comms, as the extension opens them:

* `manta_nb.beacon`: the kernel opens one and says nothing on it. It tells a page, also one that was reloaded, that
  there is somebody to talk to;
* `manta_nb.data`: opened by the page with an `Opening`; kernel → page only, `FromKernel` each;
* `manta_nb.ctl`: opened by the page with the same token; page → kernel only, `ToKernel` each. What the kernel sent on
  it would make the page's next message wait for the cell that runs (ipykernel 7.4).

All texts come from people's programs: they are to be shown as text. Seconds and bytes are numbers, times are seconds
since 1970. `version` counts the protocol: a page that knows another one says so and shows nothing.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

__all__ = [
    "PROTOCOL",
    "Answer",
    "CellRow",
    "Chosen",
    "CloseMonitor",
    "Completion",
    "DataRow",
    "FailureInfo",
    "GlobalRow",
    "KernelInfo",
    "ModuleRow",
    "NodeRow",
    "Opening",
    "Question",
    "ResultRow",
    "RunRow",
    "SessionInfo",
    "State",
    "View",
]

PROTOCOL = 1


class Opening(TypedDict):
    """What a page opens its comms with."""

    #: names this page's view of this kernel; the same on both comms
    token: str
    protocol: int


# -- kernel → page -----------------------------------------------------------------------------------------------


class KernelInfo(TypedDict):
    """What is known of the kernel itself."""

    protocol: int
    #: of manta_nb
    version: str
    #: whether questions are answered at once, or when the running cell has ended
    controls: Literal["live", "after-cell"]
    #: whether the magics are there (`%load_ext manta_nb`); without them the past runs are all there is to show
    loaded: bool


class DataRow(TypedDict):
    """One dataset of a node."""

    name: str
    #: number of training samples; null where that is not known
    samples: int | None
    #: one line: `digits: 180 train, 360 test`
    text: str


class NodeRow(TypedDict):
    """One node."""

    node: str
    state: Literal["idle", "busy", "frozen", "lost", "closed"]
    #: alias of the task that it has; "" where it has none
    task: str
    worker: str
    #: how many times as long its tasks take
    factor: float
    data: list[DataRow]


class SessionInfo(TypedDict):
    """The nodes in use."""

    #: one line: `8 nodes · digits: 1437 train, 360 test · dirichlet 0.3`
    text: str
    #: how many there are, and how many in each state
    total: int
    states: dict[str, int]
    #: the first 200 of them
    nodes: list[NodeRow]


class FailureInfo(TypedDict):
    """Why a run failed, and where to show it."""

    #: one line: type and message
    message: str
    node: str
    #: alias of the task: the module's name
    task: str
    #: `Cell In[3], line 4`; "" if unknown
    where: str
    #: id of the notebook's cell that holds that line; "" if unknown
    cell: str
    #: from 1, the magic's own line being the first; null if unknown
    line: int | None
    #: the user's frames only
    traceback: str


class RunRow(TypedDict):
    """One run, of this kernel or of the store."""

    run_id: str
    name: str
    status: Literal["pending", "running", "stopping", "completed", "stopped", "failed", "interrupted"]
    reason: str
    #: committed iterations
    iteration: int
    #: null: no limit
    iterations: int | None
    #: seconds
    elapsed: float
    started: float
    #: `val_acc 0.93 (highest)`; "" where nothing was measured
    best: str
    #: whether it is an object of this kernel
    live: bool
    #: whether this notebook started it
    here: bool
    can_stop: bool
    can_resume: bool
    #: what is to be said of it, such as who executes it; ""
    note: str
    #: what names it on a magic line: `fl`, or `3f2a9c01` where the latest run of that name is another one
    word: str
    #: id of the `%%swarm` cell that started it, and what that said: see `CellRow`; "" if unknown
    cell: str
    digest: str
    failure: FailureInfo | None


class CellRow(TypedDict):
    """The text of one cell as the kernel has it."""

    #: path in the module's package; "" is its main file
    file: str
    #: id of the notebook's cell; "" where the front end does not tell it
    cell: str
    #: the n of In[n]
    number: int
    #: of the text below the magic's line: `digest()`
    digest: str


class ModuleRow(TypedDict):
    """One module as cells have defined it."""

    name: str
    #: from 1; goes up when its text changes
    revision: int
    #: one line: `Worker.run · every node with data`
    text: str
    cells: list[CellRow]
    #: id of the cell whose text was refused since, and why; ""
    refused: str
    error: str


class GlobalRow(TypedDict):
    """One Global of the chosen run as it is after the latest committed iteration."""

    tag: str
    #: one line: `float32 (64, 784)`
    type: str
    nbytes: int
    #: the iteration that changed it; null: as at the start
    iteration: int | None
    #: code that reads it in a cell: `fl.globals["weights"]`
    code: str


class ResultRow(TypedDict):
    """One tag of the Results of the chosen run."""

    tag: str
    type: str
    nbytes: int
    #: the latest iteration that has it
    iteration: int
    #: of that iteration; the first 200
    nodes: list[str]
    #: how many there are
    total: int
    code: str


class Chosen(TypedDict):
    """Globals and Results of the run that the page has chosen (by itself: the latest one)."""

    run_id: str
    name: str
    globals: list[GlobalRow]
    results: list[ResultRow]
    #: why nothing can be shown; ""
    note: str


class State(TypedDict):
    """Sections that changed since the last message; `full`: everything that is absent is empty.

    `seq` goes up by one for each State of a view: where one is missing the page asks for all with `hello`.
    """

    op: Literal["state"]
    seq: int
    full: bool
    kernel: NotRequired[KernelInfo]
    #: null: there are no nodes
    session: NotRequired[SessionInfo | None]
    #: latest first, at most 100
    runs: NotRequired[list[RunRow]]
    #: how many runs there are
    total: NotRequired[int]
    modules: NotRequired[list[ModuleRow]]
    #: null: there is no run
    chosen: NotRequired[Chosen | None]


class Completion(TypedDict):
    """One thing that may stand at the cursor."""

    text: str
    #: `option`, `module`, `node`, `dataset`, `run`, `tag`, `metric`, `value` or `verb`
    kind: str
    #: one line of help; ""
    help: str


class Answer(TypedDict):
    """The answer to a `Question`."""

    op: Literal["answer"]
    ask: int
    ok: bool
    #: what was done, or why not, in one line
    text: str
    #: of `value`: as in the monitor's protocol (`ValueAnswer`)
    value: NotRequired[dict[str, Any]]
    #: of `monitor`: the id of a widget model that shows the run
    model: NotRequired[str]
    #: of `complete`: where in the text the completions begin and end, and what they are
    start: NotRequired[int]
    end: NotRequired[int]
    completions: NotRequired[list[Completion]]


# -- page → kernel -----------------------------------------------------------------------------------------------


class View(TypedDict):
    """What a page says of its view of the kernel; nothing of it is answered.

    * `hello`: send everything (again);
    * `choose`: show Globals and Results of that run ("": the latest);
    * `here`: the page is still there. One that has said so once says it every minute: a page that was reloaded or
      closed says nothing any more, and its comms are closed after five minutes without a word.
    """

    op: Literal["hello", "choose", "here"]
    run: NotRequired[str]


class CloseMonitor(TypedDict):
    """A tab with a monitor was closed."""

    op: Literal["close_monitor"]
    model: str


class Question(TypedDict):
    """Something that is answered once, by an `Answer` with the same `ask`.

    * `stop`, `resume`: of `run`;
    * `monitor`: opens one of `run`;
    * `value`: preview of `tag` of `run`, of `node` where it is a result, as it is after the latest iteration;
    * `complete`: what may stand at `at` (in UTF-16 units, as a page counts) in the cell's `text`.
    """

    op: Literal["stop", "resume", "monitor", "value", "complete"]
    ask: int
    run: NotRequired[str]
    kind: NotRequired[Literal["global", "result"]]
    tag: NotRequired[str]
    node: NotRequired[str]
    text: NotRequired[str]
    at: NotRequired[int]
