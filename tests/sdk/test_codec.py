"""Values as bytes and back."""

from __future__ import annotations

import time
import tracemalloc
from collections import Counter, OrderedDict, namedtuple
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from manta_nb.errors import CorruptBytes, ValueRefused
from manta_nb.sdk.bytes import numpy_to_bytes
from manta_nb.sdk.codec import decode, encode
from manta_nb.sdk.wire import MAGIC
from tests.sdk.arrays import Settings, arrays, form, same_array, values

Point = namedtuple("Point", "x y")


def pack(value: Any) -> bytes:
    return b"".join(encode(value).buffers)


def with_header(text: str | bytes, blobs: bytes = b"") -> bytes:
    """Bytes as `encode` lays them out, with a header of one's own."""
    header = text.encode() if isinstance(text, str) else text
    head = MAGIC + len(header).to_bytes(8, "little") + header
    return head + bytes(-len(head) % 64) + blobs if blobs else head


def nested(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels - 1):
        value = [value]
    return value


@given(arrays())
@settings(max_examples=300, deadline=None)
def test_arrays_round_trip(array: np.ndarray) -> None:
    """An array of any dtype, shape and layout comes back bit for bit."""
    decoded = decode(pack(array))

    assert same_array(decoded, array)


@given(values)
@settings(max_examples=150, deadline=None)
def test_values_round_trip(value: Any) -> None:
    """A nested value comes back with the types, keys, order and bits it had."""
    encoded = encode(value)
    data = b"".join(encoded.buffers)

    assert len(data) == encoded.nbytes
    assert form(decode(data)) == form(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (OrderedDict(b=1, a=2), {"b": 1, "a": 2}),
        (Counter("aab"), {"a": 2, "b": 1}),
        (Point(1, 2.5), (1, 2.5)),
        (bytearray(b"abc"), b"abc"),
        (bytearray(100), bytes(100)),
        (Settings(0.1, (64, 10)), {"rate": 0.1, "layers": (64, 10)}),
        ({np.int64(3): "three"}, {np.int64(3): "three"}),
        (-(10**3999), -(10**3999)),
        ("x" * 10_000, "x" * 10_000),
    ],
)
def test_subclasses_count_as_their_base(value: Any, expected: Any) -> None:
    """Subclasses of dict and tuple, bytearrays and dataclasses come back as plain values."""
    decoded = decode(pack(value))

    assert form(decoded) == form(expected)


def test_tensors_become_arrays() -> None:
    """A tensor comes back as an array; bfloat16, which numpy lacks, as float32."""
    model = torch.nn.Linear(2, 3).bfloat16()

    decoded = decode(
        pack(model.state_dict() | {"steps": torch.tensor(7), "conj": torch.ones(2).cfloat().conj()})
    )

    assert {key: (a.dtype.name, a.shape) for key, a in decoded.items()} == {
        "weight": ("float32", (3, 2)),
        "bias": ("float32", (3,)),
        "steps": ("int64", ()),
        "conj": ("complex64", (2,)),
    }
    assert decoded["weight"].tolist() == model.weight.tolist()


@pytest.mark.parametrize(
    "array", [np.ones((3, 4)), np.asfortranarray(np.ones((3, 4))), np.zeros(5, ">M8[s]")]
)
def test_no_copy_either_way(array: np.ndarray) -> None:
    """The buffer of a contiguous array is its own memory, and a decoded array lies in the bytes."""
    encoded = encode({"w": array})
    data = b"".join(encoded.buffers)

    assert np.shares_memory(np.frombuffer(encoded.buffers[-1], np.uint8), array)
    assert np.shares_memory(decode(data)["w"], np.frombuffer(data, np.uint8))
    assert decode(data)["w"].strides == array.strides


def test_arrays_are_aligned() -> None:
    """Each array starts at a multiple of 64 bytes."""
    encoded = encode([np.ones(3, "u1"), np.ones(0), bytes(65), np.ones((2, 2))])

    starts = np.cumsum([0, *(len(buffer) for buffer in encoded.buffers)])
    at = {len(buffer): int(start) for start, buffer in zip(starts, encoded.buffers, strict=False)}

    assert [at[3] % 64, at[65] % 64, at[32] % 64] == [0, 0, 0]


def test_writable_only_if_asked_and_possible() -> None:
    """Decoded arrays can be written to if the caller asks for it and the buffer allows it."""
    data = pack(np.zeros(2))

    flags = [decode(b, writable=w).flags.writeable for b in (bytearray(data), data) for w in (True, False)]

    assert flags == [True, False, False, False]


def test_nonfinite_arrays_are_named() -> None:
    """Arrays with NaN or infinities are named by their path, also inside the bytes of `numpy_to_bytes`."""
    big = np.zeros(1_000_000, "f4")
    bad = np.array([1, np.nan])
    late = big.copy()
    late[-1] = np.inf
    value = {
        "ok": big,
        "sum overflows": np.full(9, 6e4, "f2"),
        "a": [bad],
        "late": late,
        "strided": late.reshape(1000, -1).T[::-1],
        "npy": numpy_to_bytes({"w": bad, "v": [1.0]}),
        "z": np.array(complex(0, -np.inf)),
        "t": np.array("NaT", "M8[s]"),
        "not npy": b"\x93NUMPY" * 20,
        "float": np.nan,
    }

    found = encode(value, "results").nonfinite

    assert found == (
        'results["a"][0]', 'results["late"]', 'results["strided"]', 'results["npy"]["w"]', 'results["z"]',
    )  # fmt: skip


class Opaque:
    pass


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (
            {"model": {"layers": [0, 1, 2, lambda: 0]}},
            'cannot send a function at results["model"]["layers"][3]: allow',
        ),
        ({"a": Opaque()}, 'cannot send an Opaque at results["a"]'),
        ({"a": {1, 2}}, 'cannot send a set at results["a"]'),
        ({"a": (1, 2j)}, 'cannot send a complex at results["a"][1]'),
        ({"a": time}, 'cannot send a module at results["a"]'),
        ({"a": Settings}, 'cannot send a type at results["a"]'),
        ({"a": (i for i in "ab")}, 'cannot send a generator at results["a"]'),
        ({"a": np.array([None])}, 'cannot send a numpy array of dtype object at results["a"]'),
        ({"a": np.zeros(2, "i4,f8")}, "cannot send a numpy array of dtype [('f0'"),
        ({"a": np.zeros(2, "i4,f8")[0]}, "cannot send a"),
        ({"a": np.ma.zeros(2)}, 'cannot send a MaskedArray at results["a"]'),
        ({"a": torch.ones(2, 2).to_sparse()}, 'cannot send a tensor of torch.float32 at results["a"]'),
        ({"a": torch.empty(3, device="meta")}, 'cannot send a tensor of torch.float32 at results["a"]'),
        ({"a": torch.nn.ReLU()}, 'cannot send a ReLU at results["a"]: send its state_dict() instead'),
        ({"a": {frozenset(): 1}}, 'cannot send a frozenset as a key of results["a"]'),
        ({"a": {(1, (Opaque(),)): 1}}, 'cannot send a tuple as a key of results["a"]'),
        ({"a": 10**4001}, 'cannot send an int of more than 4000 digits at results["a"]'),
        (nested(101), "nested more than 100 levels deep"),
        ({"k" * 300: {"\n\ud800": {10**3000: lambda: 0}}}, "cannot send a function at"),
        ({type("X" * 300, (), {}).__name__: type("X" * 300, (), {})()}, "cannot send a XXXX"),
    ],
)
def test_refusals_name_type_and_path(value: Any, words: str) -> None:
    """What cannot travel is refused in one printable line that names its type and its path."""
    with pytest.raises(ValueRefused) as caught:
        encode(value, "results")

    message = str(caught.value)
    assert words in message
    assert len(message.encode().decode()) <= 200
    assert "\n" not in message


def test_a_value_that_contains_itself_is_refused() -> None:
    """A cycle is refused at once, and so is a small value that would become endless text."""
    cycle: dict[str, Any] = {}
    cycle["me"] = [cycle]
    doubled: list[Any] = ["ha" * 500]
    for _ in range(60):
        doubled = [doubled, doubled]

    with pytest.raises(ValueRefused, match="contains itself"):
        encode(cycle)
    with pytest.raises(ValueRefused, match="too many small items"):
        encode(doubled)


@pytest.mark.parametrize(
    "value",
    [
        np.broadcast_to(np.float32(0), (10**6, 10**6)),
        [np.broadcast_to(np.float32(0), (600, 1000)).T] * 2,
        bytearray(4_000_001),
        torch.zeros(1).expand(10**9),
    ],
)
def test_too_large_is_refused_before_anything_is_copied(value: Any) -> None:
    """Above the limit: refused with size and limit, and no memory is taken for it."""
    tracemalloc.start()
    with pytest.raises(ValueRefused, match="the limit is 4 MB"):
        encode(value, limit=4_000_000)

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


def test_encoding_and_decoding_take_no_memory() -> None:
    """40 MB of arrays are encoded and decoded with less than 1 MB of memory."""
    value = {"a": np.ones((5, 1_000_000), "f4"), "b": np.ones((5, 1_000_000), "f4").T}
    data = pack(value)

    tracemalloc.start()
    encode(value)
    decode(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 1_000_000


HOSTILE: dict[str, bytes] = {
    "empty": b"",
    "short": MAGIC,
    "another version": b"\x93MANTA\x00\x02" + bytes(50),
    "no header": MAGIC + bytes(8),
    "header longer than the bytes": MAGIC + (100).to_bytes(8, "little") + b"1",
    "header of 2**63 bytes": MAGIC + (2**63).to_bytes(8, "little") + b"1",
    "not JSON": with_header("{'a': 1}"),
    "not UTF-8": with_header(b'"\xff"'),
    "two values": with_header("1 2"),
    "bytes after the value": with_header("1") + b"x",
    "unknown tag": with_header('{"z": 1}'),
    "two tags": with_header('{"b": "", "t": []}'),
    "no tag": with_header("{}"),
    "brackets": with_header("[" * 1_000_000),
    "objects": with_header('{"t":[' * 200_000),
    "many lists": with_header("[" + "[]," * 1_300_000),
    "many objects": with_header("[" + "{}," * 65_000),
    "many numbers": with_header("[" + "300," * 260_000),
    "many names": with_header('{"d":{' + '"a":1,' * 260_000),
    "many long numbers": with_header("[" + ("9" * 4299 + ",") * 900),
    "5 MB of header": with_header('"' + "a" * 5_000_000 + '"'),
    "too deep": with_header("[" * 101 + "]" * 101),
    "many digits": with_header("9" * 1_000_000),
    "hex digits": with_header('{"i": "' + "9" * 1_000_000 + '"}'),
    "not hex": with_header('{"i": "zz"}'),
    "object dtype": with_header('{"a": ["|O", [1]]}', bytes(8)),
    "void dtype": with_header('{"a": ["|V8", [1]]}', bytes(8)),
    "fields": with_header('{"a": ["i4,i4", [1]]}', bytes(8)),
    "dtype of no bytes": with_header('{"a": ["|S0", [4611686018427387904]]}', b"x"),
    "dtype is a list": with_header('{"a": [["<i4"], [1]]}', bytes(8)),
    "huge item": with_header('{"a": ["<U536870911", [1]]}', bytes(8)),
    "huge shape": with_header('{"a": ["<f4", [1000000000000]]}', bytes(8)),
    "overflowing shape": with_header('{"a": ["<f4", [4294967296, 4294967296, 4294967296]]}', bytes(8)),
    "empty and overflowing": with_header(
        '{"a": ["<f4", [0, 4611686018427387904, 4611686018427387904]]}', bytes(64)
    ),
    "negative shape": with_header('{"a": ["<f4", [-1, -2]]}', bytes(8)),
    "shape of floats": with_header('{"a": ["<f4", [2.0]]}', bytes(8)),
    "shape of booleans": with_header('{"a": ["<f4", [true]]}', bytes(4)),
    "shape is a number": with_header('{"a": ["<f4", 2]}', bytes(8)),
    "100 axes": with_header('{"a": ["<f4", [' + ",".join("1" * 100) + "]]}", bytes(4)),
    "unknown order": with_header('{"a": ["<f4", [2], "K"]}', bytes(8)),
    "one array, two names": with_header('{"t": [{"a": ["<f4", [2]]}, {"a": ["<f4", [2]]}]}', bytes(8)),
    "list of empty lists": with_header('{"l": ["<f8", [1000000000, 0]]}', bytes(8)),
    "bytes longer than the bytes": with_header('{"B": 1000000000000}', bytes(8)),
    "negative length": with_header('{"B": -8}', bytes(8)),
    "length is true": with_header('{"B": true}', bytes(1)),
    "bad base64": with_header('{"b": "a"}'),
    "base64 of a number": with_header('{"b": 7}'),
    "text that is not UTF-8": with_header('{"s": 2}', b"\xff\xff"),
    "scalar of wrong size": with_header('{"n": ["<f8", {"b": "AAAA"}]}'),
    "scalar of dtype object": with_header('{"n": ["|O", {"b": "AAAAAAAAAAA="}]}'),
    "scalar of text as bytes": with_header('{"n": ["U", {"b": "AAAA"}]}'),
    "list as key": with_header('{"k": [[], 1]}'),
    "key without value": with_header('{"k": [1]}'),
    "keys that collide": with_header(
        '{"k": [' + ",".join(f"{i * (2**61 - 1)},0" for i in range(1, 20_000)) + "]}"
    ),
    "names are a list": with_header('{"d": [1]}'),
    "tuple is a text": with_header('{"t": "abc"}'),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_hostile_bytes_are_refused(data: bytes) -> None:
    """Malformed bytes raise `CorruptBytes` within 100 ms, with little memory."""
    started = time.process_time()
    with pytest.raises(CorruptBytes) as caught:
        decode(data)
    seconds = time.process_time() - started
    tracemalloc.start()
    with pytest.raises(CorruptBytes):
        decode(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert len(str(caught.value)) <= 200
    assert seconds < 0.1
    assert peak < 1_000_000 + 30 * len(data)


SAMPLE = pack(
    {
        "w": np.ones((2, 3), "f4", order="F"),
        "n": [1, 2.5, None, True],
        "t": (b"abc", bytes(100)),
        "s": "é\ud800",
        7: np.float64(1),
        (1, "x"): 10**30,
        "l": [0.5] * 40,
    }
)


def changed(make: Callable[..., bytes], *args: st.SearchStrategy[Any]) -> st.SearchStrategy[bytes]:
    return st.builds(make, *args)


positions = st.integers(0, len(SAMPLE) - 1)
mutations = (
    positions.map(lambda i: SAMPLE[:i])
    | changed(
        lambda i, x: SAMPLE[:i] + x + SAMPLE[i + len(x) :], positions, st.binary(min_size=1, max_size=8)
    )
    | changed(lambda i, x: SAMPLE[:i] + x + SAMPLE[i:], positions, st.binary(min_size=1, max_size=8))
    | changed(
        lambda i, x: SAMPLE[:i] + x + SAMPLE[i + 1 :],
        st.integers(16, 330),
        st.sampled_from(list(map(bytes, b'0-9"[]{},:'))),
    )
    | st.binary(max_size=200).map(lambda x: with_header(x))
)


@given(mutations)
@settings(max_examples=1000, deadline=1000)
def test_mutated_bytes_raise_nothing_but_corrupt_bytes(data: bytes) -> None:
    """Truncated, overwritten and made-up bytes give a value or `CorruptBytes`, nothing else."""
    try:
        decode(data)
    except CorruptBytes as error:
        assert len(str(error)) <= 200


def test_every_truncation_is_noticed() -> None:
    """No beginning of an encoded value is a value."""
    for length in range(len(SAMPLE)):
        with pytest.raises(CorruptBytes):
            decode(SAMPLE[:length])
