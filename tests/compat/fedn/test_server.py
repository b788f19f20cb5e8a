"""A turn of the node that combines: which nodes train, with which settings, and what becomes of their updates."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from manta_nb.compat.fedn.rounds.settings import Settings
from manta_nb.compat.fedn.server.server import Server
from manta_nb.errors import PackageError
from manta_nb.sdk.codec import decode, encode
from tests.fedn.packages import client

MODEL = [np.zeros(2)]
FUNCTIONS = (client("settings").parent / "server_functions.py").read_text(encoding="utf-8")


def server(kept: Any = None, **options: Any) -> Server:
    """The server of a run with these settings, in the turn after the one that left `kept`."""
    settings = Settings("p", "", {"train": "python train.py"}, "numpyhelper", **options)
    return Server(settings.as_value(), kept)


def travelled(value: Any) -> Any:
    """A value as another node, or a store, gives it back."""
    return decode(memoryview(b"".join(bytes(part) for part in encode(value).buffers)))


def update(value: float, examples: float) -> dict[str, Any]:
    """What a node sends."""
    return {
        "model": [np.full(2, float(value))],
        "num_examples": examples,
        "metadata": {"num_examples": examples},
    }


def test_without_functions_all_train() -> None:
    """Every node, without settings; the mean is weighted by examples."""
    plain = server()
    model = plain.combine(MODEL, {"a": update(1, 1), "b": update(5, 3)})

    assert plain.select(["a", "b"]) == ["a", "b"] and plain.settings(MODEL) == {}
    assert isinstance(model, list) and model[0].tolist() == [4, 4]


@pytest.mark.parametrize("sent", [{}, {"a": update(1, 1)}])
def test_too_few_updates(sent: dict[str, Any]) -> None:
    """Fewer than `min_clients` end the round, with both numbers."""
    with pytest.raises(
        PackageError, match=f"^{len(sent)} updates came in this round, and min_clients asks for 2$"
    ):
        server(min_clients=2).combine(MODEL, sent)


def test_functions_choose_set_and_combine() -> None:
    """They get what FEDn's get: here a plain mean, whatever the examples."""
    own = server(server_functions=FUNCTIONS)
    model = own.combine(MODEL, {"a": update(1, 1), "b": update(5, 3)})

    assert own.select(["c", "b", "a"]) == ["a", "b"] and own.settings(MODEL) == {"learning_rate": 1.0}
    assert isinstance(model, list) and model[0].tolist() == [3, 3]


def test_functions_remember_over_turns() -> None:
    """What `state` returns travels as a value, and the next turn goes on with it."""
    kept = None
    rates = []
    for _ in range(3):
        turn = server(kept, server_functions=FUNCTIONS)
        rates.append(turn.settings(MODEL)["learning_rate"])
        kept = travelled(turn.state())

    assert rates == [1.0, 0.5, 0.25]


def test_an_aggregator_remembers_over_turns() -> None:
    """The momentum of fedopt is that of a server that never ended."""
    sent = {"a": update(1, 1)}
    one = server(aggregator="fedopt")
    first = one.combine(MODEL, sent)
    second = one.combine(first, sent)
    turn = server(aggregator="fedopt")
    again = turn.combine(MODEL, sent)
    other = server(travelled(turn.state()), aggregator="fedopt").combine(again, sent)

    assert np.array_equal(second[0], other[0]) and not np.array_equal(first[0], second[0])  # type: ignore[index]
