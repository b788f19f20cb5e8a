"""The words in which a value is refused: its type, its path, and what would be allowed, on one line."""

from __future__ import annotations

from collections.abc import Sequence
from json.encoder import encode_basestring
from typing import Any, NoReturn

from manta_nb.errors import ValueRefused

__all__ = [
    "path_text",
    "refuse_crowd",
    "refuse_depth",
    "refuse_size",
    "refuse_type",
    "size_text",
    "type_text",
]

_ALLOWED = "None, bool, int, float, str, bytes, list, tuple, dict, arrays, tensors, dataclasses"
_MAX_PATH = 50


def path_text(what: str, keys: Sequence[Any]) -> str:
    """`what` and the way into it, such as `results["model"]["layers"][3]`; a long one loses its middle."""
    text = what + "".join(f"[{_key_text(key)}]" for key in keys)
    half = _MAX_PATH // 2
    return text if len(text) <= _MAX_PATH else f"{text[:half]}…{text[1 - half :]}"


def type_text(value: object) -> str:
    """What `value` is, in at most 33 characters: `a function`, `a numpy array of dtype object`."""
    dtype = getattr(value, "dtype", None) if type(value).__module__ == "numpy" else None
    name = type(value).__name__ if dtype is None else f"numpy array of dtype {dtype}"
    article = "an" if name[0].lower() in "aeiou" else "a"
    return f"{article} {name if len(name) <= 30 else name[:29] + '…'}"


def refuse_type(value: object, where: str, allowed: str = _ALLOWED) -> NoReturn:
    """Raise `ValueRefused` for a `value` of a kind that cannot travel, found at `where`."""
    advice = f"allowed are {allowed}"
    for method in ("state_dict", "to_numpy"):
        if callable(getattr(type(value), method, None)):
            advice = f"send its {method}() instead"
    raise ValueRefused(f"cannot send {type_text(value)} at {where}: {advice}")


def refuse_size(where: str, nbytes: int, limit: int) -> NoReturn:
    """Raise `ValueRefused` for a value that has reached `nbytes` bytes at `where`."""
    raise ValueRefused(
        f"cannot send {where}: it makes {size_text(nbytes)}, and the limit is {size_text(limit)}; send less"
    )


def _key_text(key: object) -> str:
    if isinstance(key, str):
        # A lone surrogate in a message could not be printed.
        return encode_basestring(key[:_MAX_PATH]).encode("utf-8", "replace").decode()
    if key is None or isinstance(key, bytes | float) or (isinstance(key, int) and key.bit_length() <= 64):
        return repr(key)
    return f"<{type(key).__name__}>"


def refuse_depth(where: str, levels: int) -> NoReturn:
    """Raise `ValueRefused` for a structure that is nested too deep."""
    raise ValueRefused(
        f"cannot send {where}: it is nested more than {levels} levels deep, or contains itself"
    )


def refuse_crowd(where: str) -> NoReturn:
    """Raise `ValueRefused` for a value of very many small parts."""
    raise ValueRefused(f"cannot send {where}: it has too many small items; use a numpy array")


def size_text(nbytes: int) -> str:
    """A number of bytes as a person says it: `3.2 GB`."""
    size = float(nbytes)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} TB"
