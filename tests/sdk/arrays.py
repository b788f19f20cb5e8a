"""Arrays and values for the tests of the serialisation: every dtype, every layout, nested at will."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

DTYPES = [
    "?", "i1", "u1", "<i2", ">i2", "<u4", ">u4", "<i8", ">i8", "<u8", "<f2", ">f2", "<f4", ">f4", "<f8",
    ">f8", "g", "<c8", ">c8", "<c16", "G", "<M8[s]", ">M8[us]", "<M8[25D]", "<m8[ns]", "<U3", ">U2", "S5",
]  # fmt: skip

LAYOUTS = {
    "C": lambda a: a,
    "Fortran": np.asfortranarray,
    "transposed": lambda a: a.T,
    "every second": lambda a: a[tuple(slice(None, None, 2) for _ in a.shape)],
    "reversed": lambda a: a[tuple(slice(None, None, -1) for _ in a.shape)],
    "axes swapped": lambda a: np.moveaxis(a, 0, -1) if a.ndim > 2 else a,
}


@st.composite
def arrays(draw: st.DrawFn) -> np.ndarray:
    """An array of any dtype and layout with 0 to 4 axes, some of length 0, with any bits of NaN."""
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    shape = draw(hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))
    size = int(np.prod(shape)) * dtype.itemsize
    if dtype.kind in "fcmM" and dtype.char not in "gG":
        array = np.frombuffer(draw(st.binary(min_size=size, max_size=size)), dtype).reshape(shape)
    else:
        array = draw(hnp.arrays(dtype, shape))
    # np.asfortranarray makes a 0-d array 1-d.
    array = LAYOUTS[draw(st.sampled_from(sorted(LAYOUTS)))](array) if shape else array
    array.flags.writeable = draw(st.booleans()) and array.flags.writeable
    return array


def same_array(left: np.ndarray, right: np.ndarray) -> bool:
    """Equal bit for bit, with dtype (byte order too) and shape."""
    return (
        type(left) is type(right) is np.ndarray
        and (left.dtype, left.dtype.str, left.shape) == (right.dtype, right.dtype.str, right.shape)
        and left.tobytes() == right.tobytes()
    )


_texts = st.text(st.characters(codec=None)) | st.just("\ud83d\ude00") | st.text(max_size=3)
_leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(10**60), 10**60)
    | st.floats()
    | _texts
    | st.binary()
)
_keys = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | _texts | st.binary()
_keys |= st.tuples(_keys, st.tuples(_keys))
_long = st.lists(st.floats(), min_size=30, max_size=40) | st.lists(st.integers(-(2**64), 2**64), min_size=30)
_scalars = st.sampled_from([d for d in DTYPES if "U" not in d and "S" not in d]).flatmap(
    lambda d: hnp.arrays(d, 1).map(lambda a: a[0])
)
_scalars |= _texts.map(np.str_) | st.binary().map(np.bytes_)

values = st.recursive(
    _leaves | _long | _scalars | arrays() | st.binary(min_size=60, max_size=70),
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(_texts, inner)
        | st.dictionaries(_keys, inner)
    ),
    max_leaves=12,
)


def form(value: Any) -> Any:
    """Something that is equal for two values exactly if they are the same, types and order included."""
    if isinstance(value, np.ndarray):
        return ("array", value.dtype.str, value.shape, value.tobytes())
    if isinstance(value, np.str_ | np.bytes_):
        return (type(value), str(value) if isinstance(value, np.str_) else bytes(value))
    if isinstance(value, np.generic):
        return (type(value), value.dtype.str, str(value))
    if isinstance(value, dict):
        return ("dict", [(form(key), form(item)) for key, item in value.items()])
    if isinstance(value, list | tuple):
        return (type(value), [form(item) for item in value])
    return (type(value), repr(value))


@dataclasses.dataclass
class Settings:
    """A dataclass to send."""

    rate: float
    layers: tuple[int, ...]
