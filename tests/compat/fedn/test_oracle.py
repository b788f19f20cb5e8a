"""manta_nb's aggregators and helpers against the classes of FEDn 0.11.1, which run in a process of their own.

`make test` puts FEDn into `.venv/oracle/fedn`, where no import finds it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from manta_nb.compat.fedn.models.files import load_model, save_model
from manta_nb.compat.fedn.server.aggregators import combine
from manta_nb.shims.fedn.utils.helpers import get_helper

ORACLE = Path(sys.prefix) / "oracle" / "fedn"
NODES = (3, 1, 40)
ROUNDS = 3

#: FEDn's aggregators, with objects that hand them the models of a folder instead of a network
AGGREGATE = """
import json, logging, sys
from importlib import import_module
from types import SimpleNamespace
from fedn.common.log_config import logger
from fedn.utils.helpers.helpers import get_helper
from fedn.utils.parameters import Parameters
logger.setLevel(logging.CRITICAL)
folder, name, options, nodes, rounds = json.loads(sys.argv[1])
helper = get_helper("numpyhelper")
handler = SimpleNamespace(load_model_update=lambda helper, model_id: helper.load(f"{folder}/{model_id}.npz"))
aggregator = import_module(f"fedn.network.combiner.aggregators.{name}").Aggregator(None, None, None, handler)
for number in range(rounds):
    for node, examples in enumerate(nodes):
        meta = {"training_metadata": {"num_examples": examples}, "config": json.dumps({"round_id": "1"})}
        update = SimpleNamespace(model_update_id=f"{number}-{node}", model_id=f"{number}", meta=json.dumps(meta))
        aggregator.on_model_update(update)
    model, data = aggregator.combine_models(helper=helper, delete_models=False, parameters=Parameters(options))
    assert data["nr_aggregated_models"] == len(nodes), data
    helper.save(model, f"{folder}/result-{number}.npz")
"""

#: what FEDn's numpyhelper makes of two models, and files that it has written
HELPER = """
import json, sys
import numpy as np
from fedn.utils.helpers.helpers import get_helper, save_metadata, save_metrics
folder = sys.argv[1]
helper = get_helper("numpyhelper")
a, b = helper.load(f"{folder}/a.npz"), helper.load(f"{folder}/b.npz")
results = {
    "increment_average": helper.increment_average(a, b, 3, 7), "add": helper.add(a, b, 0.5, 2.0),
    "subtract": helper.subtract(a, b), "divide": helper.divide(a, b), "multiply": helper.multiply(a, b),
    "sqrt": helper.sqrt(helper.power(a, 2)), "sign": helper.sign(a), "ones": helper.ones(a, 0.25),
}
for name, model in results.items():
    helper.save(model, f"{folder}/{name}.npz")
print(helper.norm([a[0], a[1]]))
get_helper("binaryhelper").save([array.astype(float).ravel() for array in a], f"{folder}/a.bin")
get_helper("androidhelper").save(a[1], f"{folder}/a.android")
save_metadata({"num_examples": 3}, f"{folder}/a.npz")
save_metrics({"loss": float("nan")}, f"{folder}/metrics")
"""


def fedn(code: str, argument: str) -> str:
    """What `code` prints where FEDn is what is imported."""
    if not ORACLE.is_dir():
        pytest.fail(f"FEDn 0.11.1 is not in {ORACLE}: rm .venv/installed && make test installs it")
    env = {**os.environ, "PYTHONPATH": str(ORACLE)}
    done = subprocess.run(
        [sys.executable, "-c", code, argument], env=env, capture_output=True, text=True, check=False
    )
    assert 0 == done.returncode, done.stderr
    return done.stdout


def random_model(seed: int, around: list[np.ndarray] | None = None) -> list[np.ndarray]:
    """Arrays of several shapes and dtypes, 0-d and integer ones among them; `around` a model, near it."""
    generator = np.random.default_rng(seed)
    shapes: list[tuple[tuple[int, ...], str]] = [
        ((3, 4), "f4"),
        ((5,), "f8"),
        ((), "f4"),
        ((), "f8"),
        ((2, 1, 2), "f4"),
    ]
    arrays = [np.asarray(generator.normal(size=shape), dtype) for shape, dtype in shapes]
    arrays += [np.array(generator.integers(100)), generator.integers(-5, 5, size=3)]
    if around is None:
        return arrays
    return [
        (base + np.asarray(0.1 * array, array.dtype)).astype(base.dtype)
        for base, array in zip(around, arrays, strict=True)
    ]


def as_dict(model: list[np.ndarray]) -> dict[str, np.ndarray]:
    return {f"layer.{index}": array for index, array in enumerate(model)}


def assert_equal(found: Any, expected: list[np.ndarray], like: list[np.ndarray]) -> None:
    """Floats within 1e-6; integers, which FEDn makes floats of, are the rounded ones; dtypes are those of `like`."""
    arrays = list(found.values()) if isinstance(found, dict) else found
    assert len(expected) == len(arrays)
    for array, real, first in zip(arrays, expected, like, strict=True):
        assert array.dtype == first.dtype
        assert array.shape == np.shape(real)
        np.testing.assert_allclose(
            array, np.rint(real) if first.dtype.kind == "i" else real, rtol=1e-6, atol=1e-6
        )


@pytest.mark.parametrize("form", [list, dict])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("fedavg", {}),
        # with no option at all, FEDn 0.11.1 fails
        ("fedopt", {"serveropt": "adam"}),
        ("fedopt", {"serveropt": "adam", "learning_rate": 0.1, "beta1": 0.5, "beta2": 0.8, "tau": 0.01}),
        ("fedopt", {"serveropt": "yogi", "learning_rate": 0.1}),
        ("fedopt", {"serveropt": "adagrad", "learning_rate": 1.0, "tau": 0.1}),
    ],
    ids=["fedavg", "fedopt", "adam", "yogi", "adagrad"],
)
def test_aggregators_equal_those_of_fedn(name: str, options: dict[str, Any], form: type, tmp_path: Path):
    """Over three rounds of three nodes each model equals FEDn's within 1e-6, for lists and for dicts."""
    helper = get_helper("numpyhelper")
    rounds = []
    for number in range(ROUNDS):
        model = random_model(number)
        updates = [random_model(100 * number + node + 10, model) for node in range(len(NODES))]
        rounds.append((model, updates))
        helper.save(model, f"{tmp_path}/{number}.npz")
        for node, update in enumerate(updates):
            helper.save(update, f"{tmp_path}/{number}-{node}.npz")
    fedn(AGGREGATE, json.dumps([str(tmp_path), name, options, NODES, ROUNDS]))

    state = None
    shaped: Any = as_dict if form is dict else list
    for number, (model, updates) in enumerate(rounds):
        given = {f"node_{i}": (shaped(update), NODES[i]) for i, update in enumerate(updates)}
        found, state = combine(name, options, shaped(model), given, state)
        assert isinstance(found, form)
        assert_equal(found, helper.load(f"{tmp_path}/result-{number}.npz"), model)


def test_helpers_equal_those_of_fedn(tmp_path: Path):
    """Each operation of the numpyhelper gives FEDn's numbers and dtypes, and each reads what the other writes."""
    a, b = random_model(1), random_model(2)
    b = [np.where(array == 0, 1, array).astype(array.dtype) for array in b]
    save_model(a, tmp_path / "a.npz", "numpyhelper")
    get_helper("numpyhelper").save(b, str(tmp_path / "b.npz"))
    norm = float(fedn(HELPER, str(tmp_path)))

    helper = get_helper("numpyhelper")
    results = {
        "increment_average": helper.increment_average(a, b, 3, 7),
        "add": helper.add(a, b, 0.5, 2.0),
        "subtract": helper.subtract(a, b),
        "divide": helper.divide(a, b),
        "multiply": helper.multiply(a, b),
        "sqrt": helper.sqrt(helper.power(a, 2)),
        "sign": helper.sign(a),
        "ones": helper.ones(a, 0.25),
    }
    for name, found in results.items():
        for ours, real in zip(found, load_model(tmp_path / f"{name}.npz", "numpyhelper"), strict=True):
            assert np.asarray(ours).dtype == real.dtype, name
            assert np.array_equal(ours, real), name
    assert norm == pytest.approx(helper.norm(a[:2]), rel=1e-9)


def test_files_equal_those_of_fedn(tmp_path: Path):
    """Rows of numbers, metadata and metrics are byte for byte what FEDn writes."""
    a = random_model(1)
    for name in "ab":
        save_model(a, tmp_path / f"{name}.npz", "numpyhelper")
    fedn(HELPER, str(tmp_path))
    save_model(a, tmp_path / "ours.bin", "binaryhelper")
    save_model([a[1]], tmp_path / "ours.android", "androidhelper")

    assert (tmp_path / "a.bin").read_bytes() == (tmp_path / "ours.bin").read_bytes()
    assert (tmp_path / "a.android").read_bytes() == (tmp_path / "ours.android").read_bytes()
    assert '{"num_examples": 3}' == (tmp_path / "a.npz-metadata").read_text()
    assert '{"loss": NaN}' == (tmp_path / "metrics").read_text()
    assert (a[1] == load_model(tmp_path / "a.bin", "binaryhelper")[0][12:17]).all()


def test_the_oracle_is_nowhere_on_the_path():
    """FEDn itself cannot be imported by anything that tests do not start for that."""
    assert str(ORACLE) not in sys.path
    found = find_spec("fedn")
    assert found is None or not Path(str(found.origin)).is_relative_to(ORACLE)
