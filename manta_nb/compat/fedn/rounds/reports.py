"""What programs of a package leave behind besides models: metadata, metrics, failures."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from manta_nb.compat.fedn.programs.calls import Outcome
from manta_nb.errors import PackageError
from manta_nb.sdk.names import shorten
from manta_nb.sdk.parse import one_line

__all__ = [
    "TIMES",
    "FailureNote",
    "failure_line",
    "numbers",
    "read_failure",
    "read_metadata",
    "read_metrics",
    "words_left_over",
]

#: more than any data have; NaN is not below it
_MOST_EXAMPLES = 1e18
#: bytes of JSON that a program may report
MOST_BYTES = 16 << 20
#: what the calls of entry points took, as metrics beside those a package reports
TIMES = ("startup_seconds", "train_seconds", "validate_seconds")
_FIRE_USAGE, _LEFT_OVER = 2, "Could not consume arg"
_FAILURE = re.compile(r"entry point (\S+) failed \((?:exit code (-?\d+)|no exit code)\): (.*)", re.DOTALL)


@dataclass(frozen=True)
class FailureNote:
    """A failed call, as a log line tells it."""

    entry_point: str
    #: 0 where the program ended well and what it left was not usable; None where it never ran
    exit_code: int | None
    message: str


def failure_line(entry_point: str, exit_code: int | None, message: str) -> str:
    """The log line of a failed call: logs are what a node's failed turn leaves behind.

    >>> failure_line("train", 3, "no data")
    'entry point train failed (exit code 3): no data'
    """
    code = "no exit code" if exit_code is None else f"exit code {exit_code}"
    return f"entry point {entry_point} failed ({code}): {message}"


def read_failure(line: str) -> FailureNote | None:
    """The inverse of `failure_line`; None for any other line."""
    found = _FAILURE.fullmatch(line)
    if found is None:
        return None
    return FailureNote(found[1], None if found[2] is None else int(found[2]), found[3])


def words_left_over(outcome: Outcome) -> bool:
    """Whether python-fire only minds that its arguments had more words than the function takes.

    It says so after it has called the function: `ENTRYPOINT_OPTS` that `train` understands, such as `--lr=0.1`, do not
    keep `validate` from its work. FEDn up to 0.8 did not look at exit codes at all.
    """
    return outcome.exit_code == _FIRE_USAGE and any(_LEFT_OVER in line for line in outcome.tail)


def read_metadata(out_path: Path) -> tuple[dict[str, Any], int | float]:
    """What `save_metadata` wrote beside the model at `out_path`, and its `num_examples`.

    Raises:
        PackageError: there is none, it is not JSON, or it has no `num_examples` above 0.
    """
    path = Path(f"{out_path}-metadata")
    if not path.is_file():
        raise PackageError("train wrote no metadata: call save_metadata({'num_examples': n}, out_path)")
    metadata = _parse(path, "the metadata of train")
    if not isinstance(metadata, dict):
        raise PackageError(f"the metadata of train is a {type(metadata).__name__}, not a dict")
    if "num_examples" not in metadata:
        raise PackageError(
            "the metadata of train has no num_examples, by which updates are weighted: "
            "save_metadata({'num_examples': n, …}, out_path)"
        )
    count = metadata["num_examples"]
    usable = isinstance(count, int | float) and not isinstance(count, bool)
    if not usable or not 0 < count < _MOST_EXAMPLES:
        raise PackageError(f"num_examples must be a number above 0, got {shorten(repr(count), 60)}")
    return metadata, count


def read_metrics(path: Path) -> Any:
    """What `save_metrics` wrote at `path`.

    Raises:
        PackageError: nothing was written, or it is not JSON.
    """
    if not path.is_file() or path.stat().st_size == 0:
        raise PackageError("validate wrote no metrics: call save_metrics({'accuracy': 0.9}, out_path)")
    return _parse(path, "what validate wrote")


def numbers(report: Any, name: str = "") -> Iterator[tuple[str, float]]:
    """The numbers in a report with their paths: `{"a": {"b": 1}}` gives `("a.b", 1.0)`.

    A text counts where `float` accepts it, as in FEDn's charts; what is no number is left out.
    """
    if isinstance(report, Mapping):
        for key, value in report.items():
            yield from numbers(value, f"{name}.{key}" if name else str(key))
    elif isinstance(report, list):
        for index, value in enumerate(report):
            yield from numbers(value, f"{name}.{index}" if name else str(index))
    elif isinstance(report, bool | int | float | str):
        try:
            yield name or "value", float(report)
        except (ValueError, OverflowError):
            return


def _parse(path: Path, what: str) -> Any:
    if path.stat().st_size > MOST_BYTES:
        raise PackageError(f"{what} is larger than {MOST_BYTES >> 20} MB")
    data = path.read_bytes()
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        begin = shorten(repr(data[:60].decode("utf-8", "replace")), 60)
        raise PackageError(one_line(f"{what} is not JSON ({error}): {begin}")) from error
