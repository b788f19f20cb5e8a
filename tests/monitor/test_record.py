"""The recorded feeds that the browser's tests play are whole, and say what their names promise."""

from __future__ import annotations

import base64
import json

import pytest

from manta_nb.session.feed import Message
from tests.monitor.plays import plays
from tests.monitor.record import FOLDER, ON_DEMAND, Recorder
from tests.session.feed.receiver import Receiver, size_of

KEPT = {
    "empty": ("running", 0, 4),
    "running": ("running", 6, 8),
    "failed": ("failed", 2, 4),
    "interrupted": ("interrupted", 4, 4),
    "eight": ("completed", 20, 8),
    "tenthousand": ("running", 10, 10_000),
    "hostile": ("failed", 2, 6),
}


def messages(records: list[dict]) -> list[Message]:
    return [
        Message(each["msg"], [base64.b64decode(buffer) for buffer in each["buffers"]]) for each in records
    ]


def heard(records: list[dict]) -> Receiver:
    receiver = Receiver()
    for message in messages(records):
        if message.content["op"] in ("full", "delta"):
            receiver.take(message)
    return receiver


@pytest.mark.parametrize("name", KEPT)
def test_a_record_is_whole(name):
    """It has no hole, no delta above 50 kB, and ends as it should."""
    records = json.loads((FOLDER / f"{name}.json").read_text(encoding="ascii"))
    receiver, run = heard(records), heard(records).one["run"]

    assert (run["status"], run["iteration"], run["nodes_total"]) == KEPT[name]
    assert [each["t"] for each in records] == sorted(each["t"] for each in records)
    assert all(size_of(m) <= 50_000 for m in messages(records) if m.content["op"] == "delta")
    assert len(receiver.nodes) == run["nodes_total"]
    assert (FOLDER / f"{name}.json").stat().st_size < 1_000_000


def test_every_play_is_kept_but_the_long_one():
    """No record is forgotten."""
    assert {*KEPT, *ON_DEMAND} == set(plays(Recorder))


def test_a_play_is_the_same_each_time():
    """A record can be made anew without changing."""
    play = plays(Recorder)["failed"]

    assert json.dumps(play()) == json.dumps(play())
