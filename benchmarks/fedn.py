"""A FEDn package: a round of training on 8 nodes, each call a new Python against a fork with the imports ready.

Both sides run the same program through the same code in turn, as many at a time as there are cores, and must write the
same models, byte for byte.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.report import Figure, Say, machine, parser, save, table
from manta_nb.compat.fedn.programs.calling import program_environment
from manta_nb.compat.fedn.programs.calls import Call, Outcome
from manta_nb.compat.fedn.programs.cold import run_cold
from manta_nb.compat.fedn.programs.commands import expand
from manta_nb.compat.fedn.programs.warm.caller import Warm
from manta_nb.shims import shim_folder

__all__ = ["run"]

NODES, SAMPLES = 8, 600
BAR = 5.0
COMMAND = "python entrypoint.py train"
PROGRAM = """
import collections
import math

import fire
import numpy
import torch

from fedn.utils.helpers.helpers import get_helper, save_metadata

HELPER = get_helper("numpyhelper")


def build():
    layers = [torch.nn.Linear(784, 64), torch.nn.ReLU(), torch.nn.Linear(64, 32), torch.nn.ReLU()]
    return torch.nn.Sequential(*layers, torch.nn.Linear(32, 10), torch.nn.LogSoftmax(dim=1))


def train(in_path, out_path, data="data.npz", batch=32, lr=0.1):
    model = build()
    if in_path != "none":
        weights = {name: torch.tensor(value) for name, value in HELPER.load(in_path).items()}
        model.load_state_dict(collections.OrderedDict(weights))
    with numpy.load(data) as arrays:
        x, y = torch.tensor(arrays["x"]), torch.tensor(arrays["y"])
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    order = torch.randperm(len(x))
    for number in range(math.ceil(len(x) / batch)):
        chosen = order[number * batch : (number + 1) * batch]
        loss = torch.nn.functional.nll_loss(model(x[chosen]), y[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(f"Loss: {loss.item()}")
    save_metadata({"num_examples": len(x)}, out_path)
    HELPER.save({name: value.numpy() for name, value in model.state_dict().items()}, out_path)


if __name__ == "__main__":
    fire.Fire({"train": train})
"""

#: makes one call
Way = Callable[[Call], Outcome]


class Nodes:
    """Working copies of the package, each with data of its own."""

    def __init__(self, root: Path) -> None:
        self._meeting = root / "meeting"
        self._folders = [root / f"node_{number}" for number in range(NODES)]
        random = np.random.default_rng(1)
        for folder in self._folders:
            folder.mkdir()
            (folder / "entrypoint.py").write_text(PROGRAM, encoding="utf-8")
            images = random.random((SAMPLES, 784), dtype=np.float32)
            np.savez(folder / "data.npz", x=images, y=random.integers(0, 10, SAMPLES))

    def round(self, number: int, way: Way) -> tuple[float, list[str]]:
        """Train on all nodes; returns (seconds, sha256 of each model)."""
        began = time.perf_counter()
        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            outcomes = list(pool.map(way, [self._call(folder, number) for folder in self._folders]))
        took = time.perf_counter() - began
        assert all(outcome.exit_code == 0 for outcome in outcomes), outcomes
        models = [(folder / "out.npz").read_bytes() for folder in self._folders]
        lines = [outcome.tail for outcome in outcomes]
        return took, [
            hashlib.sha256(repr(each).encode()).hexdigest() for each in zip(models, lines, strict=True)
        ]

    def warm(self, call: Call) -> Outcome:
        """By fork."""
        program = expand(call).program
        assert program is not None
        with_imports = Warm(
            call.folder, call.environment, call.interpreter, roots=[shim_folder()], meeting=self._meeting
        )
        reason = with_imports.ready(program)
        assert not reason, reason
        try:
            return with_imports.run(call, program, _quiet)
        finally:
            with_imports.disconnect()

    def close(self) -> None:
        """Let go of what has the imports ready."""
        call = self._call(self._folders[0], 0)
        program = expand(call).program
        with Warm(
            call.folder, call.environment, call.interpreter, roots=[shim_folder()], meeting=self._meeting
        ) as last:
            assert program is None or not last.ready(program)

    def _call(self, folder: Path, number: int) -> Call:
        seed = 1000 * number + self._folders.index(folder)
        base = {**os.environ, "OMP_NUM_THREADS": "1"}
        environment = program_environment(base, {}, sys.executable, seed=seed)
        return Call(
            "train", COMMAND, ("none", str(folder / "out.npz")), folder, environment, sys.executable, seed
        )


def _quiet(stream: str, line: str) -> None:
    """Nobody listens."""


def _cold(call: Call) -> Outcome:
    return run_cold(call, _quiet)


def run(quick: bool, say: Say) -> list[Figure]:
    """Cold and warm rounds in turn; how many times faster the warm ones are."""
    cold, warm = [], []
    with tempfile.TemporaryDirectory() as root:
        nodes = Nodes(Path(root))
        try:
            for number in range(2 if quick else 5):
                cold_took, cold_models = nodes.round(number, _cold)
                warm_took, warm_models = nodes.round(number, nodes.warm)
                assert cold_models == warm_models, f"round {number}: the models differ"
                cold.append(cold_took)
                warm.append(warm_took)
                say(
                    f"fedn: round {number + 1}: cold {cold_took:.2f} s, warm {warm_took:.2f} s, models and lines equal"
                )
        finally:
            nodes.close()
    return _figures(cold, warm)


def _figures(cold: Sequence[float], warm: Sequence[float]) -> list[Figure]:
    one, other, first = median(cold), median(warm[1:]), warm[0]
    numbers = {"cold s": list(cold), "warm s": list(warm)}
    return [
        Figure(
            f"FEDn, a round of {NODES} nodes, cold against warm",
            one / other,
            "× slower",
            BAR,
            least=True,
            detail=f"cold {one:.2f} s, warm {other:.2f} s, the same models",
            numbers=numbers,
        ),
        Figure(
            "FEDn, the first round, which makes the imports",
            one / first,
            "× slower",
            detail=f"cold {one:.2f} s, warm {first:.2f} s",
            numbers=numbers,
        ),
    ]


def main() -> None:
    """From the command line."""
    given = parser(str(__doc__).splitlines()[0]).parse_args()
    before = machine()
    figures = run(given.quick, print)
    print(table(figures))
    save(figures, ["fedn"], before)


if __name__ == "__main__":
    main()
