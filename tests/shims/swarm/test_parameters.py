"""What both SwarmCallbacks accept, what they refuse, and what a script can read from them; no node is asked."""

from __future__ import annotations

import logging
import sys
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from manta_nb.shims import swarm
from manta_nb.shims.swarmlearning import pyt, tf

MODEL = torch.nn.Linear(2, 2)
DATA = TensorDataset(torch.zeros(4, 2), torch.zeros(4, dtype=torch.long))


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SWARM_LOOPBACK", "True")


def classic(**parameters: Any) -> swarm.SwarmCallback:
    return swarm.SwarmCallback(**{"sync_interval": 4, "min_peers": 2, "model": MODEL, **parameters})


def later(**parameters: Any) -> pyt.SwarmCallback:
    return pyt.SwarmCallback(**{"syncFrequency": 4, "minPeers": 2, "model": MODEL, **parameters})


def test_the_defaults_of_both_families():
    """What a script does not say is as HPE documents it."""
    for callback in (classic(), later()):
        found = [callback.syncFrequency, callback.currentSyncFrequency, callback.stepsBeforeNextSync]
        assert [4, 4, 4, 2, 1] == [*found, callback.minPeers, callback.nodeWeightage]
        assert ["snapshot", "mean", False] == [
            callback.checkinModelOnTrainEnd,
            callback.mergeMethod,
            callback.useAdaptiveSync,
        ]
        assert [False, 0, 0] == [
            callback.isSwarmTrainingOver,
            callback.epochsCompleted,
            callback.totalEpochs,
        ]
        assert MODEL is callback.model and MODEL is callback.mlCtx.model
        assert "PYTORCH" == callback.mlPlatform and callback.loopback
    assert "defaultbb.cqdb.sml.hpe" == later().trainingContract


def test_the_classic_names_are_attributes_too():
    """A classic script finds its own names, and what it sets under one name is there under the other."""
    callback = classic(node_weightage="7", val_data=DATA, val_batch_size=2, model_name="m")

    callback.node_weightage = 9

    assert [4, 2, 9, 9] == [
        callback.sync_interval,
        callback.min_peers,
        callback.node_weightage,
        callback.nodeWeightage,
    ]
    assert [DATA, 2, "m"] == [callback.val_data, callback.val_batch_size, callback.model_name]


@pytest.mark.parametrize("value", ["5", 5.7, np.int64(5), True])
def test_numbers_may_come_as_texts_and_fractions(value: Any):
    """Whatever int() makes of a value counts, as environment variables are texts."""
    assert int(value) == classic(sync_interval=value).sync_interval
    assert int(value) == later(minPeers=value).minPeers


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"sync_interval": 0}, "sync_interval has to be a positive integer"),
        ({"sync_interval": None}, "sync_interval has to be a positive integer"),
        ({"sync_interval": float("inf")}, "sync_interval has to be a positive integer"),
        ({"min_peers": "two"}, "min_peers has to be a positive integer"),
        ({"min_peers": -1}, "min_peers has to be a positive integer"),
        ({"use_adaptive_sync": True}, "use_adaptive_sync needs val_data"),
        ({"checkin_model_on_train_end": "Active"}, "Invalid value checkin_model_on_train_end: Active"),
        ({"checkin_model_on_train_end": None}, "Invalid value checkin_model_on_train_end: None"),
        ({"node_weightage": 101}, "node_weightage has to be a number from 0 to 100. Provided value: 101"),
        ({"node_weightage": -1}, "node_weightage has to be a number from 0 to 100"),
        ({"ml_platform": "MXNET"}, "ml_platform has to be 'TF', 'KERAS' or 'PYTORCH', got 'MXNET'"),
        (
            {"model": None, "ml_platform": "PYTORCH"},
            "PyTorch needs the model: SwarmCallback(model=your_model",
        ),
        ({"model": "m.pt", "ml_platform": "PYTORCH"}, "model has to be a torch.nn.Module, got str"),
        ({"val_data": 5}, "validation data have to be a pair of arrays, a Dataset"),
        ({"val_data": {"x": 1}}, "validation data have to be a pair of arrays, a Dataset"),
    ],
)
def test_what_the_classic_family_refuses(parameters: dict[str, Any], message: str):
    """A parameter that cannot be right is one line that says which."""
    with pytest.raises(swarm.SwarmError) as caught:
        classic(**parameters)

    assert message in str(caught.value) and len(str(caught.value)) <= 200


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"syncFrequency": 0}, "syncFrequency has to be a positive integer"),
        ({"minPeers": None}, "minPeers has to be a positive integer"),
        ({"trainingContract": None}, "Invalid Training Contract"),
        ({"useAdaptiveSync": True}, "useAdaptiveSync needs adsValData"),
        ({"adsValData": "mnist.npz"}, "not matching with torch.utils.data.DataLoader"),
        ({"adsValData": 5}, "not matching with torch.utils.data.DataLoader"),
        ({"checkinModelOnTrainEnd": "SNAPSHOT"}, "Invalid value checkinModelOnTrainEnd: SNAPSHOT"),
        ({"nodeWeightage": 0}, "Node weightage should be a number between 1-100"),
        ({"nodeWeightage": 101}, "Node weightage should be a number between 1-100"),
        ({"mergeMethod": "median"}, "Invalid value mergeMethod: median"),
        ({"mergeMethod": None}, "Invalid value mergeMethod: None"),
        ({"totalEpochs": 0}, "totalEpochs has to be a positive integer"),
        ({"ml_platform": "KERAS"}, "Invalid ml platform type: KERAS"),
        ({"model": None}, "Pytorch model is None"),
        ({"adsValData": DataLoader(DATA), "lossFunction": "NoLoss"}, "torch.nn has no loss 'NoLoss'"),
        (
            {
                "adsValData": DataLoader(DATA),
                "lossFunction": "CrossEntropyLoss",
                "lossFunctionArgs": {"a": 1},
            },
            "CrossEntropyLoss cannot be made",
        ),
        ({"lossFunction": torch.nn.CrossEntropyLoss}, "lossFunction is the name of a class"),
    ],
)
def test_what_the_later_family_refuses(parameters: dict[str, Any], message: str):
    """The same with this family's names, ranges and words."""
    with pytest.raises(pyt.SwarmError) as caught:
        later(**parameters)

    assert message in str(caught.value)


@pytest.mark.parametrize("data", [DATA, DataLoader(DATA), [next(iter(DataLoader(DATA)))]])
def test_what_the_later_family_takes_as_validation_data(data: Any):
    """Also a Dataset: HPE's published scripts give one up to release 2.0, and have to run."""
    assert data is later(adsValData=data).valData


def test_sessions_of_tensorflow_1_are_refused():
    """swarmlearning.tf knows Keras only, and says so before it imports it."""
    with pytest.raises(tf.SwarmError, match="TensorFlow 1, is not supported: train with Keras"):
        tf.SwarmCallback(4, 2, ml_platform="TF")
    with pytest.raises(tf.SwarmError, match="Invalid ml platform type: PYTORCH"):
        tf.SwarmCallback(4, 2, ml_platform="PYTORCH")

    assert not {"tensorflow", "keras"} & {*sys.modules}


def test_unknown_parameters(capsys: pytest.CaptureFixture[str]):
    """The classic family names them in one warning, the later one ignores them, as HPE's does."""
    classic(sync_intervall=3, bogus=1)
    warned = [line for line in capsys.readouterr().out.splitlines() if "WARNING" in line]
    later(bogus=1, maxPeers=7, totalEpochs=2)
    ignored = capsys.readouterr().out

    assert 1 == len(warned) and "sync_intervall, bogus" in warned[0]
    assert "bogus" not in ignored and "WARNING" not in ignored


def test_the_later_family_takes_three_parameters_by_position():
    """syncFrequency, minPeers and trainingContract may stand without names; classic ones may not."""
    callback = pyt.SwarmCallback("8", 3, "mine", model=MODEL, mergeMethod="GeoMedian", totalEpochs="5")

    assert [8, 3, "mine", "geomedian", 5] == [
        callback.syncFrequency,
        callback.minPeers,
        callback.trainingContract,
        callback.mergeMethod,
        callback.totalEpochs,
    ]
    with pytest.raises(TypeError):
        swarm.SwarmCallback(8, 3)  # type: ignore[misc]


def test_the_logger_is_the_scripts(capsys: pytest.CaptureFixture[str]):
    """`.logger` is "SwarmCallback" at INFO on standard output, each line once; a script may bring its own."""
    classic()
    own = classic().logger
    capsys.readouterr()
    own.info("hello")
    own.debug("whispered")
    own.setLevel(logging.DEBUG)
    own.debug("spoken")
    mine = logging.getLogger("of_a_script")

    assert "SwarmCallback" == own.name
    assert ["INFO: hello", "DEBUG: spoken"] == [
        line.split("SwarmCallback ")[1] for line in capsys.readouterr().out.splitlines()
    ]
    assert mine is later(logger=mine).logger


@pytest.mark.parametrize("text", ["true", "TRUE", "1", "Yes"])
def test_loopback_bypasses_everything(
    text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """With SWARM_LOOPBACK the calls do nothing but count epochs, and one line says so."""
    monkeypatch.setenv("SWARM_LOOPBACK", text)
    monkeypatch.setenv("MANTA_NB_SWARM_FD", "99999")
    callback = classic(sync_interval=1)

    callback.on_train_begin()
    callback.on_batch_end()
    callback.on_epoch_end(0)
    callback.on_train_end()

    assert 1 == callback.epochsCompleted
    assert 1 == len(capsys.readouterr().out.splitlines())


@pytest.mark.parametrize("text", ["", "false", "0", "no"])
def test_without_a_node_the_way_is_shown(text: str, monkeypatch: pytest.MonkeyPatch):
    """Where there is neither a node nor SWARM_LOOPBACK, the error says how to run the script."""
    monkeypatch.setenv("SWARM_LOOPBACK", text)
    monkeypatch.delenv("MANTA_NB_SWARM_FD", raising=False)

    with pytest.raises(
        swarm.SwarmError, match=r"`manta-nb swarm-learning run SCRIPT.py`, or set SWARM_LOOPBACK=true"
    ):
        classic()


@pytest.mark.parametrize("text", ["99999", "none", "-1", "taken by 1"])
def test_a_descriptor_that_is_none(text: str, monkeypatch: pytest.MonkeyPatch):
    """A descriptor that leads nowhere, or belongs to another process, is a SwarmError."""
    monkeypatch.delenv("SWARM_LOOPBACK")
    monkeypatch.setenv("MANTA_NB_SWARM_FD", text)

    with pytest.raises(swarm.SwarmError, match="run this program with|child"):
        classic()
