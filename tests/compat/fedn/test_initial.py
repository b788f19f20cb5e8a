"""The first model of a package: which program makes it, and which of the files it leaves is the model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from manta_nb.compat.fedn.package.archive import Package, read_package
from manta_nb.compat.fedn.rounds.initial import make_seed, seed_command
from manta_nb.compat.fedn.rounds.settings import Settings
from manta_nb.errors import PackageError
from tests.compat.fedn.packages import write_package
from tests.fedn.packages import client

TRAIN = "entry_points:\n  train:\n    command: {}\n"
BUILD = TRAIN.format("python train.py") + "  build:\n    command: python build.py\n"
SAVE = "import numpy as np; np.savez({!r}, **{{'0': np.full(2, {}.0)}})\n"


def package(folder: Path, files: Mapping[str, str]) -> Package:
    """A package of these files."""
    return read_package(write_package(folder / "mine", files))


def made(package: Package, **options: object) -> tuple[object, list[str]]:
    """The model that the package makes, and what was said meanwhile."""
    settings = Settings(package.name, package.checksum, package.spec.entry_points, "numpyhelper", **options)  # type: ignore[arg-type]
    said: list[str] = []
    return make_seed(package, settings, None, said.append), said


@pytest.mark.parametrize(
    ("train", "files", "expected"),
    [
        (
            "python entrypoint.py <args>",
            {"entrypoint.py": "def init_seed(): ..."},
            "python entrypoint.py init_seed",
        ),
        (
            "/venv/bin/python entrypoint train $OPTS",
            {"entrypoint": "init_seed = 1"},
            "python entrypoint init_seed",
        ),
        (
            "./entrypoint train",
            {"entrypoint": "#!/usr/bin/env python\ninit_seed = 1"},
            "python entrypoint init_seed",
        ),
        ("python 'my train.py'", {"my train.py": "init_seed = 1"}, "python 'my train.py' init_seed"),
    ],
)
def test_init_seed_of_the_script(tmp_path: Path, train: str, files: Mapping[str, str], expected: str) -> None:
    """The script that `train` calls makes it, whatever it is called and by which Python."""
    assert seed_command(package(tmp_path, {"fedn.yaml": TRAIN.format(train), **files})) == (
        "init_seed",
        expected,
    )


def test_build_comes_first(tmp_path: Path) -> None:
    """Also where the script has an `init_seed`."""
    both = package(tmp_path, {"fedn.yaml": BUILD, "train.py": "def init_seed(): ..."})

    assert seed_command(both) == ("build", "python build.py")


@pytest.mark.parametrize("name", ["good", "init_seed"])
def test_packages_make_their_model(name: str) -> None:
    """Beside the package or in it, a list or named arrays; it is said which program makes it."""
    found = read_package(client(name))
    model, said = made(found)
    arrays = list(model.values()) if isinstance(model, dict) else model

    assert said[0].startswith("no seed model was given: ") and f"of {found.name} makes one" in said[0]
    assert len(arrays) == 2 and not any(np.any(array) for array in arrays)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "program",
    [
        SAVE.format("../seed.npz", 2),
        SAVE.format("seed.npz", 2),
        SAVE.format("models/first.npz", 2).replace("import", "import os; os.mkdir('models'); import", 1),
        "import os\n"
        + SAVE.format("x", 2).replace("'x'", "os.environ['SCALEOUT_BUILD_OUTPUT_DIR'] + '/seed.npz'"),
        # several: the one that is called so
        SAVE.format("a.npz", 1) + SAVE.format("../seed.npz", 2),
        # there was one before
        SAVE.format("old.npz", 2),
    ],
)
def test_the_file_that_was_written_is_the_model(tmp_path: Path, program: str) -> None:
    """In or beside the package; a model that came with it and was not written is none."""
    folder = write_package(tmp_path / "mine", {"fedn.yaml": BUILD, "build.py": program})
    np.savez(folder / "old.npz", np.zeros(1))
    np.savez(folder / "seed-of-somebody.npz", np.zeros(1))
    model, _ = made(read_package(folder))

    assert isinstance(model, list) and model[0].tolist() == [2, 2]


def test_a_program_sees_its_environment_and_data(tmp_path: Path) -> None:
    """The variables of every node, and the folder that all nodes share; its output is handed on."""
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "size").write_text("3")
    program = (
        "import os, numpy as np\n"
        "print('built with', os.environ['WHAT'])\n"
        "np.savez('../seed.npz', np.zeros(int(open('../data/size').read())))\n"
    )
    built = package(tmp_path, {"fedn.yaml": BUILD, "build.py": program})
    model, said = made(built, environments={"*": {"WHAT": "love"}}, data=str(tmp_path / "shared"))

    assert "built with love" in said and isinstance(model, dict) and model["arr_0"].shape == (3,)


def test_a_seed_repeats_a_model(tmp_path: Path) -> None:
    """Random numbers of a build are those of the run's seed."""
    program = "import numpy as np\nnp.savez('../seed.npz', np.random.normal(size=4))"
    built = package(tmp_path, {"fedn.yaml": BUILD, "build.py": program})
    settings = Settings(built.name, built.checksum, built.spec.entry_points, "numpyhelper")
    models = [make_seed(built, settings, seed, lambda line: None) for seed in (1, 1, 2)]
    values = [model["arr_0"].tolist() for model in models if isinstance(model, dict)]

    assert values[0] == values[1] != values[2]


def test_what_a_build_leaves_is_not_taken_for_a_model(tmp_path: Path) -> None:
    """Logs, compiled code and texts are none."""
    program = "import model\nopen('seed.txt', 'w'); open('../model.json', 'w')"
    built = package(tmp_path, {"fedn.yaml": BUILD, "build.py": program, "model.py": ""})

    with pytest.raises(PackageError, match="build of mine wrote no model"):
        made(built)
