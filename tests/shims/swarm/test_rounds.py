"""When a SwarmCallback checks in, with what, and what it does with the answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch

from manta_nb.shims import swarm
from manta_nb.shims.swarm._wire import checksum
from manta_nb.shims.swarmlearning import pyt
from tests.shims.swarm.node import Attendant, Reply, echo, merged

Node = Callable[[Sequence[Reply]], Attendant]
MARKER = "All peers and Swarm training rounds finished. Final Swarm model was loaded."


def model(value: float = 1.0) -> torch.nn.Module:
    made = torch.nn.Linear(1, 1)
    put(made, value)
    return made


def put(made: torch.nn.Module, value: float) -> None:
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.fill_(value)


def value(made: torch.nn.Module) -> float:
    numbers = {parameter.item() for parameter in made.parameters()}
    assert 1 == len(numbers)
    return numbers.pop()


def weights(number: float) -> dict[str, np.ndarray]:
    return {"weight": np.full((1, 1), number, "f4"), "bias": np.full(1, number, "f4")}


def callback(made: torch.nn.Module, interval: int = 2, **parameters: Any) -> swarm.SwarmCallback:
    return swarm.SwarmCallback(sync_interval=interval, min_peers=2, model=made, **parameters)


def test_the_node_is_greeted(node: Node):
    """The constructor tells the node what the script asks for."""
    attendant = node([])

    pyt.SwarmCallback(
        8,
        3,
        model=model(),
        mergeMethod="coordMedian",
        checkinModelOnTrainEnd="active",
        nodeWeightage=7,
        totalEpochs=4,
    )
    attendant.close()

    assert [
        {
            "op": "hello",
            "family": "swarmlearning",
            "platform": "PYTORCH",
            "sync_interval": 8,
            "min_peers": 3,
            "adaptive": False,
            "mode": "active",
            "weight": 7,
            "merge_method": "coordmedian",
            "total_epochs": 4,
            "validates": False,
        }
    ] == attendant.headers("hello")


def test_merges_come_after_every_interval_over_all_epochs(node: Node):
    """With an interval of 2 and 5 batches in 2 epochs: at begin, after batches 2 and 4, and at the end."""
    attendant = node(echo(3))
    cb = callback(model())

    cb.on_train_begin()
    for batches in (3, 2):
        for _ in range(batches):
            cb.on_batch_end()
        cb.on_epoch_end()
    cb.on_train_end()
    attendant.close()

    assert [("begin", 0, 0), ("batch", 2, 0), ("batch", 4, 1), ("end", 5, 2)] == [
        (header["kind"], header["step"], header["epochs"]) for header in attendant.headers("check_in")
    ]
    assert [{"op": "epochs", "done": n, "total": 0} for n in (1, 2)] == attendant.headers("epochs")
    assert [0, 1, 2, 3] == [header["round"] for header in attendant.headers("loaded")]


def test_what_is_merged_is_loaded_and_acknowledged(node: Node):
    """The merged weights are in the model, the same object, and after the last merge the node gets their checksum."""
    made = model(1.0)
    kept = made.weight
    attendant = node([merged(0, weights(5.0), over=True)])
    cb = callback(made)

    cb.on_train_begin()
    attendant.close()

    assert 5.0 == value(made) and kept is made.weight
    assert {"weight": [[1.0]], "bias": [1.0]} == {
        name: array.tolist() for name, array in attendant.arrays("begin").items()
    }
    assert [checksum(weights(5.0))] == [header["checksum"] for header in attendant.headers("loaded")]


def test_an_empty_merge_keeps_the_model(node: Node):
    """Where nobody contributed, the model stays as it is, and that is acknowledged as well."""
    made = model(3.0)
    attendant = node([merged(0, {}, over=True)])

    callback(made).on_train_begin()
    attendant.close()

    assert 3.0 == value(made)
    assert [checksum(weights(3.0))] == [header["checksum"] for header in attendant.headers("loaded")]


def test_the_interval_is_the_nodes(node: Node):
    """A merge may change the interval; 0 leaves it."""
    attendant = node([merged(0, interval=3), merged(1, interval=0), merged(2, interval=1), merged(3)])
    cb = callback(model(), interval=2)

    cb.on_train_begin()
    for _ in range(7):
        cb.on_batch_end()
    attendant.close()

    assert [0, 3, 6, 7] == [header["step"] for header in attendant.headers("check_in")]
    assert [2, 1, 1] == [cb.syncFrequency, cb.currentSyncFrequency, cb.stepsBeforeNextSync]


@pytest.mark.parametrize(
    ("mode", "handed_in", "weight"), [("snapshot", 9.0, 4), ("active", 5.0, 4), ("inactive", None, 4)]
)
def test_what_a_node_contributes_at_its_end(node: Node, mode: str, handed_in: float | None, weight: int):
    """Its last weights, the last merged ones, or anything: what "inactive" means the node knows."""
    made = model(1.0)
    attendant = node([merged(0, weights(5.0)), merged(1, weights(6.0), over=True)])
    cb = callback(made, node_weightage=4, checkin_model_on_train_end=mode)

    cb.on_train_begin()
    put(made, 9.0)
    cb.on_train_end()
    attendant.close()

    ended = attendant.headers("check_in")[-1]
    assert [mode, weight] == [ended["mode"], ended["weight"]]
    if handed_in is not None:
        assert handed_in == attendant.arrays("end")["bias"][0]
    assert 6.0 == value(made)


def test_at_its_end_a_node_waits_for_the_others(node: Node):
    """Merges that come before the last one are loaded without another check-in."""
    made = model()
    attendant = node([merged(0, weights(2.0)), merged(1, weights(3.0)), merged(2, weights(4.0), over=True)])
    cb = callback(made)

    cb.on_train_end()
    attendant.close()

    assert 4.0 == value(made)
    assert ["hello", "end", "loaded", "loaded", "loaded"] == attendant.ops


def test_a_node_that_was_behind_at_its_end_checks_in_again(node: Node):
    """It adopts the latest model, and contributes that one, as its own work is of no use any more."""
    made = model(1.0)
    attendant = node([merged(3, weights(7.0), adopted=True), merged(4, weights(8.0), over=True)])

    callback(made).on_train_end()
    attendant.close()

    assert ["hello", "end", "loaded", "end", "loaded"] == attendant.ops
    assert 7.0 == attendant.arrays("end")["bias"][0]
    assert 8.0 == value(made)


def test_a_swarm_that_ends_first(node: Node, capsys: pytest.CaptureFixture[str]):
    """The loop runs on without merges, and in the end the node has the swarm's final model."""
    made = model(1.0)
    attendant = node([merged(0), merged(1, weights(5.0), over=True)])
    cb = callback(made, interval=1)

    cb.on_train_begin()
    cb.on_batch_end()
    assert cb.isSwarmTrainingOver
    put(made, 9.0)
    cb.on_batch_end()
    cb.on_epoch_end()
    assert 9.0 == value(made)
    cb.on_train_end()
    attendant.close()

    assert 5.0 == value(made)
    assert ["hello", "begin", "loaded", "batch", "loaded"] == attendant.ops
    assert MARKER in capsys.readouterr().out


def test_a_batch_before_the_beginning_is_the_beginning(node: Node):
    """A script that never calls on_train_begin has its first merge at its first batch."""
    attendant = node([merged(0), merged(1)])
    cb = callback(model(), interval=2)

    cb.on_batch_end()
    cb.on_batch_end()
    attendant.close()

    assert [("begin", 0), ("batch", 2)] == [
        (header["kind"], header["step"]) for header in attendant.headers("check_in")
    ]


def test_a_second_end_is_none(node: Node, capsys: pytest.CaptureFixture[str]):
    """After on_train_end nothing is said to the node any more; another training is told that it is local."""
    attendant = node([merged(0, over=True)])
    cb = callback(model())

    for _ in range(2):
        cb.on_train_end()
    cb.on_train_begin()
    cb.on_batch_end()
    cb.on_epoch_end()
    attendant.close()

    assert ["hello", "end", "loaded"] == attendant.ops
    assert 1 == capsys.readouterr().out.count("this training stays on this node")


def test_an_interval_that_was_never_reached(node: Node, capsys: pytest.CaptureFixture[str]):
    """A training that ends before its first merge after a batch is told that its interval may be too high."""
    node(echo(1))
    cb = callback(model(), interval=100)

    cb.on_train_begin()
    cb.on_batch_end()
    cb.on_train_end()

    said = capsys.readouterr().out
    assert "WARNING: no merge while this node trained: its sync interval of 100 batches" in said
    assert MARKER in said


def test_weight_and_mode_may_change(node: Node):
    """What a script sets between merges counts from the next one."""
    attendant = node(echo(2))
    cb = callback(model(), interval=1)

    cb.on_train_begin()
    cb.node_weightage = 50
    cb.on_batch_end()
    cb.checkinModelOnTrainEnd = "inactive"
    cb.on_train_end()
    attendant.close()

    assert [(1, "snapshot"), (50, "snapshot"), (50, "inactive")] == [
        (header["weight"], header["mode"]) for header in attendant.headers("check_in")
    ]


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (lambda message: ({"op": "refused", "message": "min_peers differs"}, None), "min_peers differs"),
        (lambda message: ({"op": "hello"}, None), "which is no merge"),
        (merged("one"), "which is no merge"),
        (merged(0, interval=-1), "which is no merge"),
        (merged(0, over=1), "which is no merge"),
        (merged(0, {"weight": np.zeros((1, 1), "f4")}), "lacks bias"),
        (merged(0, {**weights(2.0), "more": np.zeros(1)}), "has more, which this node's model has not"),
        (
            merged(0, {**weights(2.0), "weight": np.zeros((1, 2))}),
            "weight of the merged model has the shape (1, 2)",
        ),
    ],
)
def test_an_answer_that_is_no_use(node: Node, reply: Reply, message: str):
    """It is one line, the model stays as it was, and the node sees that the script has hung up."""
    made = model(3.0)
    attendant = node([reply])
    cb = callback(made)

    with pytest.raises(swarm.SwarmError) as caught:
        cb.on_train_begin()

    attendant._thread.join(10)
    assert not attendant._thread.is_alive()
    assert message in str(caught.value) and len(str(caught.value)) <= 200
    assert 3.0 == value(made) and [] == attendant.headers("loaded")
    cb.stepsBeforeNextSync = 1
    with pytest.raises(swarm.SwarmError):
        cb.on_batch_end()


def test_a_node_that_has_gone(node: Node):
    """A check-in without anybody there is a SwarmError, also in the middle of waiting."""
    attendant = node([])
    cb = callback(model())

    with pytest.raises(swarm.SwarmError, match="the node of this program has gone"):
        cb.on_train_begin()

    attendant.close()
    with pytest.raises(swarm.SwarmError, match="the node of this program has gone"):
        cb.on_epoch_end()


def test_one_callback_a_program(node: Node):
    """A second callback is told that there is one."""
    node([])
    kept = callback(model())

    with pytest.raises(swarm.SwarmError, match="has a SwarmCallback already"):
        callback(model())
    assert not kept.isSwarmTrainingOver
