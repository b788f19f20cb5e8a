"""Lists of records."""

from __future__ import annotations

from manta_nb.session.records import Records

ROWS = [
    {"round": 1, "node": "node_0", "metrics": {"acc": 0.5}},
    {"round": 2, "node": "<b>", "metrics": {"acc": 0.75, "loss": 1.0}},
]


def test_records_are_a_sequence() -> None:
    """They are counted, sliced and compared like the list they are."""
    records = Records("validations", ROWS)

    assert (len(records), records[-1]["round"], records[:1]) == (2, 2, ROWS[:1])
    assert records == ROWS and list(records) == ROWS


def test_records_read_as_a_table() -> None:
    """What lies in a dict has columns of its own; names from outside are escaped."""
    records = Records("validations", ROWS)

    assert str(records).splitlines()[1].split() == ["round", "node", "acc", "loss"]
    assert "<b>" not in records._repr_html_()
    assert str(Records("failures", [])) == "no failures"


def test_records_as_a_data_frame() -> None:
    """One row a record."""
    frame = Records("validations", ROWS).to_pandas()

    assert list(frame.columns) == ["round", "node", "acc", "loss"]
    assert frame["acc"].tolist() == [0.5, 0.75]
