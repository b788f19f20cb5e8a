"""The byte helpers of a task."""

from __future__ import annotations

import io
import time
import tracemalloc
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from manta_nb.errors import CorruptBytes, ValueRefused
from manta_nb.sdk.bytes import bytes_to_dict, bytes_to_numpy, dict_to_bytes, numpy_to_bytes
from tests.sdk.arrays import arrays, form, same_array, values


def npy(header: str, data: bytes = b"", version: int = 1) -> bytes:
    """An npy file with a header of one's own."""
    length = len(header).to_bytes(2 if version == 1 else 4, "little")
    return b"\x93NUMPY" + bytes([version, 0]) + length + header.encode() + data


def fields(descr: object = "<f4", shape: object = (2,), order: object = False) -> str:
    return repr({"descr": descr, "fortran_order": order, "shape": shape})


@given(arrays())
@settings(max_examples=200, deadline=None)
def test_arrays_round_trip_as_npy(array: np.ndarray) -> None:
    """Any array comes back bit for bit, and numpy itself reads the bytes alike."""
    data = numpy_to_bytes(array)

    assert isinstance(data, bytes)
    assert same_array(bytes_to_numpy(data), array)
    assert same_array(bytes_to_numpy(data, copy=False), array)
    assert same_array(np.load(io.BytesIO(data)), array)


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_npy_files_of_numpy_are_read(version: tuple[int, int]) -> None:
    """Bytes that `numpy.lib.format` wrote, in any of its versions, are read."""
    out = io.BytesIO()
    np.lib.format.write_array(out, np.ones((2, 3)), version=version)

    array = bytes_to_numpy(out.getvalue())

    assert same_array(array, np.ones((2, 3)))


def test_a_dict_keeps_its_shape() -> None:
    """A dict becomes a dict of the same shape with bytes as leaves, and comes back as arrays."""
    weights = {
        "fc": {"w": np.ones((2, 3), "f4"), "b": torch.zeros(3)},
        "steps": np.int64(7),
        "l": [np.ones(1), {}],
    }

    data = numpy_to_bytes(weights)
    back = bytes_to_numpy({"node_0": data, "node_1": numpy_to_bytes([1, 2])})

    assert list(data) == ["fc", "steps", "l"]
    assert {type(leaf) for leaf in (*data["fc"].values(), data["steps"], data["l"][0])} == {bytes}
    assert same_array(back["node_0"]["fc"]["w"], weights["fc"]["w"])
    assert (back["node_0"]["steps"].shape, back["node_0"]["steps"]) == ((), 7)
    assert [back["node_0"]["l"][0].tolist(), back["node_0"]["l"][1]] == [[1.0], {}]
    assert back["node_1"].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("data", "dtype", "shape"),
    [
        ([1, 2], "int64", (2,)),
        ([[1.5], [2]], "float64", (2, 1)),
        ([], "float64", (0,)),
        ([(1, 2)], "int64", (1, 2)),
    ],
)
def test_a_list_of_numbers_is_one_array(data: list[Any], dtype: str, shape: tuple[int, ...]) -> None:
    """Plain numbers, nested or not, make one array."""
    array = bytes_to_numpy(numpy_to_bytes(data))

    assert (array.dtype, array.shape, array.tolist()) == (np.dtype(dtype), shape, np.array(data).tolist())


def test_copies_can_be_written_to() -> None:
    """With `copy` arrays are writable, also those that were arrays already; without it they are views."""
    data = numpy_to_bytes(np.zeros((2, 3), order="F"))
    frozen = np.zeros(3)
    frozen.flags.writeable = False

    copied, view = bytes_to_numpy(data), bytes_to_numpy(data, copy=False)

    assert (copied.flags.writeable, copied.flags.f_contiguous) == (True, True)
    assert (view.flags.writeable, np.shares_memory(view, np.frombuffer(data, "u1"))) == (False, True)
    assert bytes_to_numpy([frozen])[0].flags.writeable
    assert bytes_to_numpy(frozen, copy=False) is frozen
    assert not bytes_to_numpy(memoryview(bytearray(data)), copy=False).flags.writeable


def test_data_is_copied_once() -> None:
    """Making bytes of 20 MB takes 20 MB, reading them without a copy takes none."""
    array = np.ones(5_000_000, "f4")

    tracemalloc.start()
    data = numpy_to_bytes(array)
    written = tracemalloc.get_traced_memory()[1]
    bytes_to_numpy(data, copy=False)
    both = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert written < 20_100_000
    assert both < 20_200_000


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"w": {"b": (1, 2)}}, 'cannot send a tuple at data["w"]["b"]: allowed are numpy arrays'),
        ({"w": [np.ones(1), "x"]}, 'cannot send a str at data["w"][1]'),
        ({"w": [(np.ones(1),)]}, 'cannot send a tuple at data["w"][0]'),
        (0.5, "cannot send a float at data"),
        ({"w": None}, 'cannot send a NoneType at data["w"]'),
        ([[1, 2], [3]], "cannot turn data into an array: its rows differ in length"),
        ({"w": [2**70]}, 'cannot send a numpy array of dtype object at data["w"]'),
        ({"w": np.zeros(1, "i4,i4")}, "cannot send a numpy array of dtype [('f0'"),
        ({"w": np.ma.zeros(2)}, 'cannot send a MaskedArray at data["w"]'),
        ({"w": torch.ones(2, 2).to_sparse()}, 'cannot turn data["w"] into an array: can'),
        ({"w": torch.nn.Linear(1, 1)}, 'cannot send a Linear at data["w"]: send its state_dict() instead'),
    ],
)
def test_refusals_name_type_and_path(data: Any, words: str) -> None:
    """What cannot become bytes is refused with its type and path, as a `TypeError`."""
    with pytest.raises(TypeError) as caught:
        numpy_to_bytes(data)

    assert isinstance(caught.value, ValueRefused)
    assert words in str(caught.value)
    assert len(str(caught.value)) <= 200


def test_only_bytes_become_arrays() -> None:
    """Something that is not bytes is refused with its type and path; so is a cycle, either way."""
    cycle: list[Any] = []
    cycle.append(cycle)

    with pytest.raises(ValueRefused, match=r'cannot send a float at data\["loss"\]: allowed are bytes'):
        bytes_to_numpy({"loss": 0.5})
    with pytest.raises(ValueRefused, match="contains itself"):
        bytes_to_numpy(cycle)
    with pytest.raises(ValueRefused, match="contains itself"):
        numpy_to_bytes(cycle)


HOSTILE: dict[str, bytes] = {
    "empty": b"",
    "magic only": b"\x93NUMPY",
    "text": b"hello, I am no array",
    "object": npy(fields("|O"), bytes(16)),
    "fields": npy(fields([("a", "<i4")]), bytes(8)),
    "huge shape": npy(fields(shape=(10**12,))),
    "overflow": npy(fields(shape=(2**62, 2**62))),
    "empty and overflowing": npy(fields(shape=(0, 2**62, 2**62))),
    "negative": npy(fields(shape=(-1,)), bytes(8)),
    "expression": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2**40,)}"),
    "call": npy("__import__('os')"),
    "shape of text": npy(fields(shape="ab"), bytes(8)),
    "shape of floats": npy(fields(shape=(2.0,)), bytes(8)),
    "order is a number": npy(fields(order=7), bytes(8)),
    "no shape": npy("{'descr': '<f4', 'fortran_order': False}"),
    "not a dict": npy("[1, 2]"),
    "item of no bytes": npy(fields("|S0", (2**62,))),
    "truncated data": npy(fields(), bytes(7)),
    "data after the end": npy(fields(), bytes(9)),
    "parentheses": npy("(" * 9_000),
    "minus signs": npy("-" * 9_000 + "1"),
    "digits": npy("9" * 9_000),
    "100,000 axes": npy(fields(shape=(1,) * 100_000), bytes(4), version=2),
    "long header": npy(" " * 5_000_000, version=2),
    "header of 4 GB": b"\x93NUMPY\x02\x00\xff\xff\xff\xff",
    "not UTF-8": b"\x93NUMPY\x01\x00\x02\x00\xff\xff",
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_hostile_bytes_are_refused(data: bytes) -> None:
    """Malformed npy bytes raise `CorruptBytes` within 100 ms and with next to no memory."""
    started = time.process_time()
    with pytest.raises(CorruptBytes) as caught:
        bytes_to_numpy(data)
    seconds = time.process_time() - started
    tracemalloc.start()
    with pytest.raises(ValueError):
        bytes_to_numpy(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert len(str(caught.value)) <= 200
    assert seconds < 0.1
    assert peak < 2_000_000


@given(st.data())
@settings(max_examples=500, deadline=1000)
def test_mutated_bytes_raise_nothing_but_corrupt_bytes(data: st.DataObject) -> None:
    """Truncated and overwritten npy bytes give an array or `CorruptBytes`, nothing else."""
    sample = numpy_to_bytes(np.ones((2, 3), "f4"))
    at = data.draw(st.integers(0, len(sample)))
    patch = data.draw(st.binary(max_size=6))

    try:
        array = bytes_to_numpy(
            sample[:at] + patch + sample[at + len(patch) :][: data.draw(st.integers(0, 200))]
        )
    except CorruptBytes:
        return
    assert isinstance(array, np.ndarray)


@given(values)
@settings(max_examples=50, deadline=None)
def test_dicts_of_values_round_trip(value: Any) -> None:
    """`bytes_to_dict` gives back what went into `dict_to_bytes`."""
    data = dict_to_bytes({"value": value})

    assert form(bytes_to_dict(data)) == form({"value": value})


def test_arrays_of_a_dict_can_be_written_to() -> None:
    """`bytes_to_dict` gives arrays that are one's own."""
    back = bytes_to_dict(dict_to_bytes({"w": np.zeros(2)}))

    assert back["w"].flags.writeable
    with pytest.raises(CorruptBytes):
        bytes_to_dict(b"\x80\x04K\x01.")
