"""`explain`: an exception as one line, a place in the user's code, and the user's frames."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import pytest

from manta_nb.runtime.runners.report import LONGEST_MESSAGE, LONGEST_TRACEBACK, explain

CELL = "Cell In[3]"


def raised(text: str, name: str = CELL) -> BaseException:
    """What running `text` raises, compiled as a cell is."""
    try:
        exec(compile(text, name, "exec"), {})  # noqa: S102 - stands for a user's module
    except BaseException as error:  # noqa: BLE001 - any of them
        return error
    raise AssertionError("nothing was raised")


class Unprintable(Exception):
    """Raises when it is printed."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self._error = error

    def __str__(self) -> str:
        raise self._error


def test_a_plain_exception() -> None:
    """Type and message, the last line of the user's code, the user's frames from the first on."""
    told = explain(raised("def f(x):\n    raise ValueError('no ' + x)\nf('way')"), {CELL})

    assert told["message"] == "ValueError: no way"
    assert told["where"] == "Cell In[3], line 2"
    assert [line.strip() for line in told["traceback"].splitlines() if "File" in line] == [
        'File "Cell In[3]", line 3, in <module>',
        'File "Cell In[3]", line 2, in f',
    ]


def test_the_place_is_the_users_own_line() -> None:
    """Where a library raised, the place is the user's line that called it, and the library's frames follow."""
    told = explain(raised("import json\njson.loads('{')"), {CELL})

    assert told["where"] == "Cell In[3], line 2"
    assert "decoder.py" in told["traceback"]
    assert __file__ not in told["traceback"]


def test_values_are_left_out() -> None:
    """The traceback quotes lines and never values: private data does not leave in it."""
    told = explain(raised("secret = 'patient ' + str(47 * 100 + 11)\nlen(secret) / 0"), {CELL})

    assert "4711" not in str(told)


def test_an_exception_without_message_is_its_type() -> None:
    """`raise ValueError` is told as `ValueError`."""
    assert explain(raised("raise ValueError"), {CELL})["message"] == "ValueError"


def test_a_message_of_50_megabytes_is_shortened() -> None:
    """A huge message becomes a short one that says so, without several copies of it in memory."""
    error = ValueError("x" * 50_000_000)
    tracemalloc.start()
    told = explain(error, {CELL})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert len(told["message"]) < LONGEST_MESSAGE + 100
    assert told["message"].endswith("(shortened)")
    assert peak < 120_000_000


@pytest.mark.parametrize("inner", [RuntimeError(), KeyboardInterrupt(), SystemExit(3), RecursionError()])
def test_an_unprintable_exception_is_told_without_its_message(inner: BaseException) -> None:
    """An exception that raises when printed, whatever it raises, is told by its type."""
    assert explain(Unprintable(inner), {CELL})["message"] == "Unprintable: (its message cannot be printed)"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import sys; sys.exit(2)", "SystemExit: the task called sys.exit(2)"),
        ("raise SystemExit", "SystemExit: the task called sys.exit()"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("raise GeneratorExit('bye')", "GeneratorExit: bye"),
        ("class Own(BaseException): pass\nraise Own('own')", "Own: own"),
    ],
)
def test_no_exception_is_too_odd(text: str, message: str) -> None:
    """What is no `Exception` is told like one."""
    assert explain(raised(text), {CELL})["message"] == message


def test_a_syntax_error_is_placed_where_it_is() -> None:
    """A syntax error in a file of the module has its own file and line."""
    assert explain(raised("x = 1\nif x\n"), {CELL})["where"] == "Cell In[3], line 2"


def test_a_deep_recursion_stays_short() -> None:
    """A `RecursionError` has a place and a traceback of bounded length."""
    told = explain(raised("def f(n):\n    return f(n + 1)\nf(0)"), {CELL})

    assert told["where"] == "Cell In[3], line 2"
    assert len(told["traceback"]) <= LONGEST_TRACEBACK
    assert told["message"].startswith("RecursionError: maximum recursion depth")


def test_an_error_outside_the_users_code_keeps_its_frames() -> None:
    """Where no frame is the user's, all frames are told and there is no place."""
    told = explain(raised("1 / 0", "elsewhere.py"), {CELL})

    assert told["where"] == ""
    assert "elsewhere.py" in told["traceback"]


@pytest.mark.parametrize("make", [lambda: ValueError("a\ud800b"), lambda: OSError("d\udce9j\udce0.txt")])
def test_what_cannot_be_printed_is_replaced(make: Callable[[], Exception]) -> None:
    """Lone surrogates, as in names of files, do not reach a screen that cannot show them."""
    assert explain(make(), {CELL})["message"].encode("utf-8")
