"""What is said of a script that ended with an error."""

from __future__ import annotations

import pytest

from manta_nb.compat.swarm_learning.nodes.ending import how_it_ended

TRACEBACK = [
    "epoch 1",
    "Traceback (most recent call last):",
    '  File "/x/node_1/files/swarmml/model/train.py", line 31, in <module>',
    "    main()",
    '  File "/x/node_1/files/swarmml/model/nets/mlp.py", line 7, in main',
    "    step()",
    '  File "/usr/lib/python3/torch/nn.py", line 900, in step',
    "ValueError: no data",
]


@pytest.mark.parametrize(
    ("exit_code", "tail", "told"),
    [
        (1, TRACEBACK, "exit code 1: nets/mlp.py, line 7: ValueError: no data"),
        (3, ["the scales are broken"], "exit code 3: the scales are broken"),
        (-9, [], "exit code -9: killed by SIGKILL"),
        (2, [], "exit code 2: it printed nothing"),
        (1, ["Error: " + "x" * 500], "exit code 1: Error: " + "x" * 100),
    ],
)
def test_it_names_the_line_and_the_last_words(exit_code: int, tail: list[str], told: str) -> None:
    """The innermost line of the script's own folder, the error or what was printed last, a signal by its name."""
    said = how_it_ended(exit_code, tail)

    assert said.startswith(told) and len(said) <= 200


def test_the_platforms_own_path_is_the_folder() -> None:
    """A script that names `/platform/…` has its folder there."""
    tail = ['  File "/platform/swarmml/model/train.py", line 4, in <module>', "KeyError: 'x'"]

    assert how_it_ended(1, tail) == "exit code 1: train.py, line 4: KeyError: 'x'"
