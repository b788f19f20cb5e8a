"""The folder that stands first on the path of programs: seeds, torchvision, and nothing that one would notice."""

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from manta_nb.compat.processes.environment import SITE


def python(text: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": f"{SITE}{os.pathsep}{folder}", **variables}
    command = [sys.executable, "-c", dedent(text)]
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)


def said(text: str, folder: Path, **variables: str) -> str:
    done = python(text, folder, **variables)
    assert (0, "") == (done.returncode, done.stderr)
    return done.stdout


def test_a_seed_is_that_of_all_three_libraries(tmp_path: Path) -> None:
    """Each is seeded when the program gets hold of it, as if the program had done so itself."""
    draws = "print(random.random(), np.random.rand(), torch.rand(1).item())"
    imports = "import random\nimport numpy as np\nimport torch\n"
    by_itself = "random.seed(7); np.random.seed(7); torch.manual_seed(7)\n"

    assert said(imports + by_itself + draws, tmp_path) == said(imports + draws, tmp_path, MANTA_NB_SEED="7")


def test_a_seed_of_63_bits_will_do(tmp_path: Path) -> None:
    """Numpy takes 32 bits, torch 64."""
    draws = "import torch, numpy\nprint(torch.initial_seed(), numpy.random.get_state()[1][0])"

    assert f"{2**63 - 1} {2**32 - 1}\n" == said(draws, tmp_path, MANTA_NB_SEED=str(2**63 - 1))


@pytest.mark.parametrize("seed", ["", "7", "seven"])
def test_nothing_is_imported_for_it(tmp_path: Path, seed: str) -> None:
    """A program that needs no torch does not wait for it."""
    text = "import sys\nprint({'numpy', 'torch', 'torchvision'} & set(sys.modules))"

    assert "set()\n" == said(text, tmp_path, MANTA_NB_SEED=seed)


def test_modules_look_as_they_always_do(tmp_path: Path) -> None:
    """Whoever looks at a module's loader or source finds what there is without the hooks."""
    text = """
        import inspect, importlib.resources, sys, torch, numpy.random
        for module in (torch, numpy.random):
            print(vars(module.__loader__), module.__spec__.origin, len(inspect.getsource(module)))
            print(type(importlib.resources.files(module)), module.__spec__.loader is module.__loader__)
    """

    assert said(text, tmp_path, PYTHONPATH="") == said(text, tmp_path, MANTA_NB_SEED="7")


def test_the_sitecustomize_of_the_machine_still_runs(tmp_path: Path) -> None:
    """It is the one that programs find under its name."""
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.customized = __file__")
    text = "import sys, sitecustomize\nprint(sys.customized, sitecustomize.__file__, sitecustomize.__name__)"
    file = tmp_path / "sitecustomize.py"

    assert f"{file} {file} sitecustomize\n" == said(text, tmp_path)


def test_a_sitecustomize_that_fails_fails_as_it_would(tmp_path: Path) -> None:
    """Python says so and goes on, with the hooks."""
    (tmp_path / "sitecustomize.py").write_text("raise RuntimeError('of the machine')")

    done = python("import random; print(random.random())", tmp_path, MANTA_NB_SEED="7")

    assert "of the machine" in done.stderr
    assert (
        said("import random; random.seed(7); print(random.random())", tmp_path, PYTHONPATH="") == done.stdout
    )


#: what torchvision does at its import
REGISTERING = """
    import torch
    @torch.library.register_fake("torchvision::nms")
    def nms(dets, scores, threshold): return dets
    @torch.library.register_fake("torchvision::qnms")
    def qnms(dets, scores, threshold): return dets
"""


def torchvision(folder: Path, before: str = "") -> None:
    (folder / "torchvision").mkdir()
    (folder / "torchvision" / "__init__.py").write_text(
        f"import torch\n{before}\nfrom . import _meta_registrations\n"
    )
    (folder / "torchvision" / "_meta_registrations.py").write_text(dedent(REGISTERING))


def test_torchvision_without_its_operators_can_be_imported(tmp_path: Path) -> None:
    """Its wheel needs CUDA for them; without the hook the import fails."""
    torchvision(tmp_path)

    assert "True\n" == said(
        "import torchvision, torch\nprint(hasattr(torch.ops.torchvision, 'nms'))", tmp_path
    )
    without = python("import torchvision", tmp_path, PYTHONPATH=str(tmp_path))
    assert "operator torchvision::nms does not exist" in without.stderr


def test_torchvision_with_its_operators_keeps_them(tmp_path: Path) -> None:
    """Nothing is declared where it is there already."""
    own = """
        import torch
        library = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        library.impl("nms", lambda dets, scores, threshold: dets + 1, "CPU")
    """
    torchvision(tmp_path, dedent(own))
    text = "import torchvision, torch\nprint(torch.ops.torchvision.nms(torch.zeros(1), torch.zeros(1), 0.5).item())"

    assert "1.0\n" == said(text, tmp_path)


def test_a_torchvision_that_is_not_there_is_not_there(tmp_path: Path) -> None:
    """The hook answers for nobody."""
    done = python("import torchvision._meta_registrations", tmp_path)

    assert "No module named 'torchvision'" in done.stderr
