"""Training scripts as processes of their own, as a node runs them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from manta_nb.shims import shim_folder
from tests.shims.swarm.node import Attendant, Reply, echo, program

Attend = Callable[[Sequence[Reply]], Attendant]
MARKER = "All peers and Swarm training rounds finished. Final Swarm model was loaded."

CLASSIC = """
import os, torch
from torch.utils.data import DataLoader, TensorDataset
from swarm import SwarmCallback

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.dense = torch.nn.Linear(2, 2)
        self.norm = torch.nn.BatchNorm1d(2)
    def forward(self, x):
        return torch.log_softmax(self.norm(self.dense(x)), dim=1)

def main():
    torch.manual_seed(0)
    data = TensorDataset(torch.randn(24, 2), torch.randint(0, 2, (24,)))
    model = Net()
    optimizer = torch.optim.Adam(model.parameters())
    callback = SwarmCallback(sync_interval=2, min_peers=2, val_data=data, val_batch_size=8, model_name="net", model=model)
    callback.on_train_begin()
    for epoch in range(1, 3):
        model.train()
        for x, y in DataLoader(data, batch_size=8, num_workers=int(os.environ.get("WORKERS", "0"))):
            optimizer.zero_grad()
            torch.nn.functional.nll_loss(model(x), y).backward()
            optimizer.step()
            callback.on_batch_end()
        callback.on_epoch_end(epoch)
    callback.on_train_end()
    torch.save(model, "model.pt")
    print("saved", isinstance(callback, SwarmCallback))

if __name__ == "__main__":
    main()
"""

LATER = """
import logging, torch
from swarmlearning.pyt import SwarmCallback
from torch.utils.data import DataLoader, TensorDataset
model = torch.nn.Sequential(torch.nn.Linear(2, 3))
loader = DataLoader(TensorDataset(torch.randn(9, 2), torch.randint(0, 3, (9,))), batch_size=4)
cb = SwarmCallback(syncFrequency=1, minPeers=2, useAdaptiveSync=False, adsValData=loader, adsValBatchSize=4, model=model,
    totalEpochs=1, lossFunction="CrossEntropyLoss", lossFunctionArgs={"reduction": "sum"}, metricFunction="F1Score",
    metricFunctionArgs={"task": "multiclass", "num_classes": 3}, mergeMethod="mean", maxPeers=5)
cb.logger.setLevel(logging.DEBUG)
cb.on_train_begin()
cb.on_batch_end()
cb.on_epoch_end(1)
cb.on_train_end()
import swarm
cb.logger.info(f"Saved the trained model! {swarm.MINE}")
"""


def test_a_classic_script(attend: Attend, tmp_path: Path):
    """It merges at begin, after batches 2, 4 and 6, and at the end; its data loader's processes are no peers."""
    attendant = attend(echo(4))

    done = program(CLASSIC, tmp_path, attendant, WORKERS="2")
    attendant.close()

    assert 0 == done.returncode, done.stdout
    assert ["begin", "batch", "batch", "batch", "end"] == [
        header["kind"] for header in attendant.headers("check_in")
    ]
    assert [0, 2, 4, 6, 6] == [header["step"] for header in attendant.headers("check_in")]
    assert [1, 2] == [header["done"] for header in attendant.headers("epochs")]
    loaded = attendant.headers("loaded")
    assert all(0 < header["loss"] < 3 and {"accuracy"} == {*header["metrics"]} for header in loaded)
    assert 6 == int(attendant.arrays("end")["norm.num_batches_tracked"])
    assert MARKER in done.stdout and "saved True" in done.stdout
    assert (tmp_path / "model.pt").exists()


def test_a_later_script(attend: Attend, tmp_path: Path):
    """Its loss and metric come with every merge; it may have a module `swarm` of its own in its folder."""
    (tmp_path / "swarm.py").write_text("MINE = True\n")
    attendant = attend(echo(2))

    done = program(LATER, tmp_path, attendant)
    attendant.close()

    assert 0 == done.returncode, done.stdout
    assert ["hello", "begin", "loaded", "batch", "loaded", "epochs", "end", "loaded"] == attendant.ops
    assert [{"F1Score"}] * 3 == [{*header["metrics"]} for header in attendant.headers("loaded")]
    assert [{"op": "epochs", "done": 1, "total": 1}] == attendant.headers("epochs")
    assert done.stdout.splitlines()[-1].endswith("SwarmCallback INFO: Saved the trained model! True")


def test_a_script_alone(tmp_path: Path):
    """With SWARM_LOOPBACK the same script trains without a node."""
    done = program(CLASSIC, tmp_path, SWARM_LOOPBACK="True")

    assert 0 == done.returncode, done.stdout
    assert "saved True" in done.stdout and 1 == done.stdout.count("SwarmCallback")


FORKING = """
import os, subprocess, sys
import torch
from swarm import SwarmCallback, SwarmError
number = int(os.environ["MANTA_NB_SWARM_FD"])
model = torch.nn.Linear(1, 1)
callback = SwarmCallback(sync_interval=1, min_peers=1, model=model)
child = os.fork()
if child == 0:
    try:
        callback.on_train_begin()
    except SwarmError as error:
        print("forked:", error, flush=True)
    try:
        SwarmCallback(sync_interval=1, min_peers=1, model=model)
    except SwarmError as error:
        print("forked:", error, flush=True)
    try:
        os.fstat(number)
    except OSError:
        print("forked: closed", flush=True)
    os._exit(0)
os.waitpid(child, 0)
code = "import os\\ntry: os.fstat(%d)\\nexcept OSError: print('started: closed', flush=True)" % number
subprocess.run([sys.executable, "-c", code], close_fds=False)
callback.on_train_begin()
print("merged")
"""


def test_only_the_process_that_took_it_over_speaks(attend: Attend, tmp_path: Path):
    """A forked child is refused and has no connection, a started one inherits none, and the script goes on."""
    attendant = attend(echo(0))

    done = program(FORKING, tmp_path, attendant)
    attendant.close()

    lines = done.stdout.splitlines()
    assert ["forked", "forked", "forked: closed"] == [
        line.partition(": only")[0].partition(": SwarmCallback belongs")[0]
        for line in lines
        if line.startswith("forked")
    ]
    assert ["started: closed", "merged"] == [line for line in lines if line in {"started: closed", "merged"}]
    assert ["hello", "begin", "loaded"] == attendant.ops


# -- importing --------------------------------------------------------------------------------------------------


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """The environment of a Python that has numpy, and nothing else."""
    site = tmp_path / "site"
    site.mkdir()
    for part in Path(np.__file__).parents[1].glob("numpy*"):
        (site / part.name).symlink_to(part)
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(shim_folder()), str(site)])}


def said(code: str, env: dict[str, str], folder: Path) -> str:
    """What `code` prints there, or the last line of its error."""
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], env=env, cwd=folder, capture_output=True, text=True, check=False
    )
    return (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines()[-1]


def test_importing_needs_numpy_only(bare: dict[str, str], tmp_path: Path):
    """Both packages are imported by a Python that has neither manta_nb nor a framework, and bring in none."""
    code = """
import sys, swarm, swarmlearning.pyt, swarmlearning.tf
from swarmlearning.client.swarm import SwarmError
print(sorted(swarm.__all__), sorted({"torch", "keras", "tensorflow", "manta_nb"} & {*sys.modules}))
print(SwarmError is swarmlearning.pyt.SwarmError, "swarmlearning._callback" in sys.modules)
"""

    assert "True True" == said(code, bare, tmp_path)
    assert "['SwarmCallback', 'SwarmError', '__version__'] []" == said(
        code.rsplit("print", 1)[0], bare, tmp_path
    )


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            "import swarmlearning.hf_transformers",
            "ImportError: manta_nb's swarmlearning has no hf_transformers",
        ),
        (
            "from swarm import SwarmCallback\nSwarmCallback(sync_interval=1, min_peers=1)",
            "swarm._errors.SwarmError: SwarmCallback does not see which framework this is",
        ),
        (
            "from swarm import SwarmCallback\nSwarmCallback(sync_interval=1, min_peers=1, ml_platform='TF')",
            "swarm._errors.SwarmError: Keras is not installed here: pip install",
        ),
        (
            "from swarmlearning.tf import SwarmCallback\nSwarmCallback(1, 1)",
            "swarmlearning._errors.SwarmError: Keras is not installed here: pip install",
        ),
    ],
)
def test_what_cannot_be_is_explained(code: str, message: str, bare: dict[str, str], tmp_path: Path):
    """A framework that is not here, or not supported, is one line."""
    assert said(code, bare, tmp_path).startswith(message)


def test_somebody_elses_swarm_is_left_alone(bare: dict[str, str], tmp_path: Path):
    """In a notebook or a module of a swarm, `import swarm` finds the user's own; in a training script it finds ours."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "swarm.py").write_text(
        "import sys\nOWN = [each for each in sys.modules if each[:6] == 'swarm.']\n"
    )
    path = {"PYTHONPATH": os.pathsep.join([bare["PYTHONPATH"], str(tmp_path / "mine")])}
    code = "import swarm; print(getattr(swarm, 'OWN', 'ours'))"

    assert "[]" == said(code, {**bare, **path}, tmp_path)
    assert "ours" == said(code, {**bare, **path, "MANTA_NB_SWARM_FD": "5"}, tmp_path)
    assert "ours" == said(code, {**bare, **path, "SWARM_LOOPBACK": "true"}, tmp_path)
    assert "ours" == said(code, bare, tmp_path)
