"""A script that trains alone, as the baseline of a run: nothing is merged, and the node learns how good it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
import torch

from manta_nb.shims import swarm
from manta_nb.shims.swarm._link import LOOPBACK
from manta_nb.shims.swarm._wire import checksum
from tests.shims.swarm.node import Attendant, Reply

Node = Callable[[Sequence[Reply]], Attendant]


def test_the_node_is_told_the_score(node: Node, monkeypatch: pytest.MonkeyPatch):
    """With SWARM_LOOPBACK no model is handed in; at the end the loss on `val_data` and the checksum are told."""
    attendant = node([])
    monkeypatch.setenv(LOOPBACK, "true")
    model = torch.nn.Linear(1, 2)
    data = torch.utils.data.TensorDataset(torch.zeros(4, 1), torch.zeros(4, dtype=torch.long))
    callback = swarm.SwarmCallback(sync_interval=1, min_peers=2, model=model, val_data=data, val_batch_size=2)
    for call in (
        callback.on_train_begin,
        callback.on_batch_end,
        callback.on_epoch_end,
        callback.on_train_end,
    ):
        call()
    attendant.close()

    assert attendant.ops == ["epochs", "loaded"]
    (told,) = attendant.headers("loaded")
    assert told["round"] == 0 and told["loss"] > 0 and told["metrics"].keys() == {"accuracy"}
    state = {name: value.numpy() for name, value in model.state_dict().items()}
    assert told["checksum"] == checksum(state)
