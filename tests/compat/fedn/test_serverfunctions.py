"""ServerFunctions: where their text comes from, what they are asked, what they return, what they remember."""

from __future__ import annotations

import linecache
import logging
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from manta_nb.compat.fedn.server.functions import LoadedFunctions, load_functions, source_of, state
from manta_nb.errors import PackageError, UsageError
from manta_nb.sdk.codec import decode, encode

MODEL = {"w": np.zeros(2, np.float32), "n": np.array(3)}
UPDATES = {
    "node_0": ({"w": np.ones(2, np.float32), "n": np.array(4)}, {"num_examples": 1}),
    "node_1": ({"w": np.full(2, 5, np.float32), "n": np.array(9)}, {"num_examples": 3}),
}

#: as FEDn's examples are written: imports of its own, a state, all three functions
WHOLE = """
from fedn.common.log_config import logger
from fedn.network.combiner.hooks.allowed_import import Dict, List, ServerFunctionsBase, Tuple, api_client, np, random

class ServerFunctions(ServerFunctionsBase):
    def __init__(self) -> None:
        self.round = 0
        self.lr = 0.1

    def client_selection(self, client_ids: List[str]) -> List[str]:
        try:
            charging = api_client.get_current_attributes(client_ids)
        except Exception as error:
            charging = client_ids
        return charging[:2]

    def client_settings(self, global_model: List[np.ndarray]) -> dict:
        if self.round % 10 == 0:
            self.lr *= 0.1
        self.round += 1
        return {"learning_rate": np.float32(self.lr), "arrays": len(global_model)}

    def aggregate(self, previous_global: List[np.ndarray],
                  client_updates: Dict[str, Tuple[List[np.ndarray], dict]]) -> List[np.ndarray]:
        weighted_sum = [np.zeros_like(param) for param in previous_global]
        weighted_sum = [array.astype(np.float64) for array in weighted_sum]
        total = np.float64(0)
        for client_id, (parameters, metadata) in client_updates.items():
            n = metadata.get("num_examples", 1)
            total += n
            for i in range(len(weighted_sum)):
                weighted_sum[i] += parameters[i] * n
        logger.info("Models aggregated")
        return [array / total for array in weighted_sum]
"""


def functions(body: str, kept: dict[str, Any] | None = None) -> LoadedFunctions:
    """A class with these methods."""
    return load_functions(
        "class ServerFunctions(ServerFunctionsBase):\n" + textwrap.indent(body, "    "), kept
    )


def carried(value: dict[str, Any]) -> dict[str, Any]:
    """A value as it comes out of a store."""
    return decode(memoryview(b"".join(bytes(part) for part in encode(value).buffers)))


# -- what they are asked ----------------------------------------------------------------------------------------


def test_a_published_class_runs_as_it_is():
    """Server functions as FEDn's examples have them choose, set and aggregate; dicts stay dicts, dtypes stay."""
    loaded = load_functions(WHOLE)
    combined = loaded.combine(MODEL, UPDATES)

    assert ["b", "c"] == loaded.select(["b", "c", "a"])
    assert {"learning_rate": pytest.approx(0.01), "arrays": 2} == loaded.settings(MODEL)
    assert isinstance(combined, dict)
    assert [4.0, 4.0] == combined["w"].tolist()
    assert 8 == combined["n"]
    assert [np.dtype("f4"), np.dtype("i8")] == [array.dtype for array in combined.values()]


def test_what_is_not_overridden_is_as_without():
    """A class that overrides nothing selects all, sets nothing, and leaves aggregation to an aggregator."""
    loaded = functions("pass")

    assert frozenset() == loaded.provides
    assert ["a", "b"] == loaded.select(["a", "b"])
    assert {} == loaded.settings(MODEL)
    assert loaded.combine(MODEL, UPDATES) is None


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("incremental_aggregate", "get_incremental_aggregate_model"),
        ("running_aggregate", "get_running_aggregate_model"),
    ],
)
def test_updates_one_after_the_other(first: str, second: str):
    """Incremental aggregation, by either of its names, gets each update, and goes before `aggregate`."""
    loaded = functions(f"""
def __init__(self):
    self.total, self.model = 0, None
def {first}(self, client_id, model, client_metadata, previous_global):
    n = client_metadata["num_examples"]
    self.total += n
    if self.model is None:
        self.model = model
    else:
        for i in range(len(model)):
            self.model[i] = (self.model[i] * (self.total - n) + model[i] * n) / self.total
def {second}(self):
    found, self.model = self.model, None
    return found
def aggregate(self, previous_global, client_updates):
    raise AssertionError
""")
    combined = loaded.combine([*MODEL.values()], {k: ([*m.values()], d) for k, (m, d) in UPDATES.items()})

    assert isinstance(combined, list)
    assert [4.0, 4.0] == combined[0].tolist()
    assert 8 == combined[1]
    assert np.dtype("i8") == combined[1].dtype


def test_a_class_may_write_into_what_it_gets():
    """Arrays are copies that can be written to: those of the run are not touched."""
    frozen = np.zeros(2)
    frozen.flags.writeable = False
    loaded = functions("""
def aggregate(self, previous_global, client_updates):
    previous_global[0] += 7
    for parameters, _ in client_updates.values():
        parameters[0] += 1
    return previous_global
""")
    combined = loaded.combine([frozen], {"a": ([frozen], {})})

    assert isinstance(combined, list)
    assert [7.0, 7.0] == combined[0].tolist()
    assert [0.0, 0.0] == frozen.tolist()


def test_older_names_are_known():
    """`client_config` is what `client_settings` was called first."""
    assert {"a": 1} == functions("def client_config(self, global_model): return {'a': 1}").settings(MODEL)


def test_settings_may_be_none():
    """A class that has nothing to set returns None."""
    assert {} == functions("def client_settings(self, global_model): pass").settings(MODEL)


# -- what is wrong with what they return ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("returned", "text"),
    [
        ("None", "client_selection must return a list of client ids, got NoneType None"),
        ("'node_0'", "client_selection must return a list of client ids, got str 'node_0'"),
        ("[]", "client_selection chose none of the 2 nodes"),
        ("['node_7']", "client_selection chose 'node_7', which is not there: there are node_0, node_1"),
        ("1 / 0", "client_selection failed in line 2: ZeroDivisionError: division by zero"),
    ],
)
def test_a_wrong_selection_is_one_line(returned: str, text: str):
    """A selection of nobody, of somebody else, or of another type is named."""
    loaded = functions(f"def client_selection(self, client_ids): return {returned}")

    with pytest.raises(PackageError) as caught:
        loaded.select(["node_0", "node_1"])
    assert text == str(caught.value)


@pytest.mark.parametrize(
    "chosen", ["(c for c in client_ids)", "set(client_ids)", "np.array(client_ids)", "client_ids * 2"]
)
def test_a_selection_is_any_collection(chosen: str):
    """Generators, sets, arrays and repetitions are selections; each node counts once."""
    loaded = functions(f"def client_selection(self, client_ids): return {chosen}")
    found = loaded.select(["node_0", "node_1"])

    assert ["node_0", "node_1"] == sorted(found)
    assert all(type(each) is str for each in found)


@pytest.mark.parametrize(
    ("returned", "text"),
    [
        ("[1]", "client_settings must return a dict, got list [1]"),
        (
            "{'a': object}",
            "client_settings returned what JSON cannot hold: Object of type type is not JSON serializable",
        ),
        (
            "self.lr",
            "client_settings failed in line 2: AttributeError: 'ServerFunctions' object has no attribute 'lr'",
        ),
    ],
)
def test_wrong_settings_are_one_line(returned: str, text: str):
    """Settings that are no dict, or no JSON, are named."""
    loaded = functions(f"def client_settings(self, global_model): return {returned}")

    with pytest.raises(PackageError) as caught:
        loaded.settings(MODEL)
    assert text == str(caught.value)


@pytest.mark.parametrize(
    ("returned", "text"),
    [
        ("None", "aggregate returned None: return the model, a list of arrays"),
        ("3", "what aggregate returned: it must be a list or dict of arrays, got int"),
        (
            "previous_global[:1]",
            "what aggregate returned: it is a list of 1 arrays, the model is 2 named arrays (w, …)",
        ),
        ("[np.zeros(3), 1]", "what aggregate returned: layer w has shape (3,), the model's is (2,)"),
        ("client_updates['x']", "aggregate failed in line 2: KeyError: 'x'"),
    ],
)
def test_a_wrong_model_is_one_line(returned: str, text: str):
    """An aggregate that is no model, or not like the model, is named."""
    loaded = functions(f"def aggregate(self, previous_global, client_updates): return {returned}")

    with pytest.raises(PackageError) as caught:
        loaded.combine(MODEL, UPDATES)
    assert text == str(caught.value)


def test_half_an_incremental_aggregate_is_one_line():
    """Taking updates in without giving a model back is named; so are no updates."""
    loaded = functions(
        "def incremental_aggregate(self, client_id, model, client_metadata, previous_global): pass"
    )

    with pytest.raises(PackageError, match="and no get_incremental_aggregate_model"):
        loaded.combine(MODEL, UPDATES)
    with pytest.raises(PackageError, match="there are no updates to combine"):
        loaded.combine(MODEL, {})


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("class ServerFunctions\n  pass", "server_functions, line 1: expected ':'"),
        (
            "x = 1",
            "server_functions have no class ServerFunctions: write class ServerFunctions(ServerFunctionsBase)",
        ),
        (
            "\nimport nothing_like_this",
            "server_functions failed in line 2: ModuleNotFoundError: No module named 'nothing_like_this'",
        ),
        ("class ServerFunctions:\n  def __init__(self, x): pass", "ServerFunctions() failed: TypeError: "),
        (
            "class ServerFunctions:\n  def __init__(self):\n    self.a.b()",
            "ServerFunctions() failed in line 3: AttributeError: ",
        ),
        ("a\0b", "server_functions, source code string cannot contain null bytes"),
    ],
)
def test_a_text_that_cannot_be_loaded_is_one_line(source: str, text: str):
    """The error names the line of the text."""
    with pytest.raises(PackageError) as caught:
        load_functions(source)
    assert str(caught.value).startswith(text)


# -- what they remember -----------------------------------------------------------------------------------------


def test_attributes_are_carried_between_rounds():
    """A class goes on where it stopped the round before, in another process, from values that may travel."""
    first = load_functions(WHOLE)
    first.settings(MODEL)
    kept = carried(state(first.instance))
    second = load_functions(WHOLE, kept)

    assert {"round": 1, "lr": pytest.approx(0.01)} == kept
    assert first.settings(MODEL) == second.settings(MODEL)


def test_containers_and_generators_are_carried():
    """Sets, deques, counters, defaultdicts, generators and own objects come back as they were, and can be changed."""
    text = """
from collections import Counter, OrderedDict, defaultdict, deque
from dataclasses import dataclass, field
from fedn.utils.helpers.helpers import get_helper

@dataclass
class Client:
    name: str
    losses: list = field(default_factory=list)

class ServerFunctions(ServerFunctionsBase):
    def __init__(self):
        self.late = {"b", "a"}
        self.cold = frozenset({1})
        self.last = deque([1, 2], maxlen=2)
        self.seen = Counter("aab")
        self.by_client = defaultdict(list, a=[1])
        self.clients = {"a": Client("a", [0.5])}
        self.pair = (1, np.zeros(2))
        self.random = random.Random(3)
        self.generator = np.random.default_rng(3)
        self.helper = get_helper("numpyhelper")
        self.logger = logger
        self.function = len
    def client_settings(self, global_model):
        self.late.add("c")
        self.last.append(3)
        self.seen["a"] += 1
        self.by_client["new"].append(1)
        self.clients["a"].losses.append(0.25)
        self.pair[1][0] += 1
        return {"sorted": sorted(self.late), "last": self.last and list(self.last), "seen": self.seen["a"],
                "by_client": self.by_client, "losses": self.clients["a"].losses, "array": self.pair[1],
                "draws": [self.random.random(), self.generator.random()],
                "fixtures": [self.helper.name, self.logger.name, self.function("ab"), 1 in self.cold]}
"""
    first = load_functions(text)
    before = first.settings(MODEL)
    second = load_functions(text, carried(state(first.instance)))
    expected, found = first.settings(MODEL), second.settings(MODEL)

    assert expected == found
    assert before["draws"] != found["draws"]
    assert [0.5, 0.25, 0.25] == found["losses"]
    assert [3, 3] == found["last"]


@pytest.mark.parametrize(
    "value",
    ["object()", "iter([])", "{'a': {'b': object()}}", "np.array([object()])", "(x for x in [])"],
)
def test_what_cannot_be_carried_is_named(value: str):
    """An attribute that is no value is named."""
    loaded = functions(f"def __init__(self):\n    self.fine = 1\n    self.odd = {value}")

    with pytest.raises(
        PackageError, match=r"^ServerFunctions: self\.odd cannot be kept for the next round: "
    ):
        state(loaded.instance)


@pytest.mark.parametrize(
    "kept",
    [
        {"fedn:kind": "object", "value": {}, "extra": "os"},
        {"fedn:kind": "Generator", "value": {"bit_generator": "seed"}, "extra": None},
        {"fedn:kind": "eval", "value": "1", "extra": None},
    ],
)
def test_what_was_kept_makes_only_what_is_known(kept: dict[str, Any]):
    """A hostile state makes no object of a class that the text does not have."""
    with pytest.raises(PackageError, match="was kept"):
        functions("pass", {"odd": kept})


# -- where the text comes from ----------------------------------------------------------------------------------


@pytest.fixture
def cell() -> Iterator[Any]:
    """Runs texts as a notebook runs its cells: in one namespace, their lines known to linecache."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    names: list[str] = []

    def run(text: str) -> dict[str, Any]:
        names.append(f"<cell {len(names)}>")
        linecache.cache[names[-1]] = (len(text), None, text.splitlines(keepends=True), names[-1])
        exec(compile(text, names[-1], "exec"), namespace)  # noqa: S102 - what a kernel does
        return namespace

    yield run
    for name in names:
        linecache.cache.pop(name, None)


def test_a_class_of_a_cell(cell: Any):
    """A class of a cell brings along what it uses of its cell, and modules and numbers of other cells; nothing else."""
    cell("import numpy as numerics\nimport os.path as places\nSHARE = 0.5\nfrom math import ceil")
    found = cell("""
print("not again")
FACTOR = 2
OTHER = open

def scaled(x):
    return x * FACTOR

class Mine(object):
    def client_settings(self, global_model):
        return {"lr": scaled(SHARE), "n": numerics.int64(3), "up": ceil(SHARE), "join": places.join("a", "b")}
""")["Mine"]
    text = source_of(found)

    assert "not again" not in text
    assert "OTHER" not in text
    assert {"lr": 1.0, "n": 3, "up": 1, "join": "a/b"} == load_functions(text).settings(MODEL)


def test_features_of_the_language_come_first(cell: Any):
    """A cell that begins with `from __future__` may use what another cell has imported."""
    cell("import numpy as numerics")
    found = cell("""
from __future__ import annotations

class ServerFunctions:
    def client_settings(self, global_model: NeverDefined):
        return {"n": numerics.int64(3)}
""")["ServerFunctions"]

    assert {"n": 3} == load_functions(source_of(found)).settings(MODEL)


def test_a_class_that_was_defined_again(cell: Any):
    """Of two classes of one name in a cell, the one that is given is taken."""
    found = cell("""
class ServerFunctions:
    def client_settings(self, global_model):
        return {"first": 1}
First = ServerFunctions
class ServerFunctions:
    def client_settings(self, global_model):
        return {"second": 2}
""")

    assert {"first": 1} == load_functions(source_of(found["First"])).settings(MODEL)
    assert {"second": 2} == load_functions(source_of(found["ServerFunctions"])).settings(MODEL)


def test_a_class_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A class that was imported, a path, and a text are all sources."""
    (tmp_path / "my_server_functions.py").write_text(WHOLE.replace("from fedn.", "from manta_nb.shims.fedn."))
    monkeypatch.syspath_prepend(tmp_path)
    made = __import__("my_server_functions").ServerFunctions
    monkeypatch.delitem(sys.modules, "my_server_functions")

    assert 2 == load_functions(source_of(made)).settings(MODEL)["arrays"]
    assert WHOLE == source_of(WHOLE)
    assert source_of(tmp_path / "my_server_functions.py") == source_of(
        str(tmp_path / "my_server_functions.py")
    )


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("/no/such/file.py", "server_functions: cannot read /no/such/file.py: No such file or directory"),
        (3, "server_functions must be the class ServerFunctions, its text or the path of its file, got int"),
        (type("Made", (), {}), "server_functions: the source of Made is not known"),
        (dict, "server_functions: the source of dict is not known"),
    ],
)
def test_a_source_that_is_not_there_is_one_line(given: object, text: str):
    """A file that is missing, or a class without a text, is named."""
    with pytest.raises(UsageError) as caught:
        source_of(given)
    assert str(caught.value).startswith(text)


def test_loading_leaves_nothing_behind():
    """Loading a text that imports fedn neither changes the path nor imports a fedn into this process."""
    path, before = sys.path[:], {name for name in sys.modules if name.partition(".")[0] == "fedn"}
    load_functions(WHOLE)

    assert path == sys.path
    assert before == {name for name in sys.modules if name.partition(".")[0] == "fedn"}
    assert 1 == len(logging.getLogger("fedn").handlers)
