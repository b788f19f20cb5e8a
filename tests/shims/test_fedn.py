"""The package `fedn` as entry points import it: which names it has, where it runs, and what it says of the others."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from manta_nb.shims import shim_folder

#: module → the names that published packages import from it
NAMES = {
    "fedn.common.exceptions": ["InvalidParameterError"],
    "fedn.common.log_config": ["logger", "set_log_level_from_string"],
    "fedn.network.combiner.hooks.allowed_import": [
        "Dict",
        "List",
        "ServerFunctionsBase",
        "Tuple",
        "api_client",
        "np",
    ],
    "fedn.network.combiner.hooks.serverfunctionsbase": ["ServerFunctionsBase"],
    "fedn.utils": ["PYTHON_VERSION"],
    "fedn.utils.checksum": ["sha"],
    "fedn.utils.dist": ["get_package_path", "get_version"],
    "fedn.utils.flowercompat.client_app_adapter": ["FlwrClientAppAdapter"],
    "fedn.utils.helpers": ["HelperBase", "get_helper", "load_metadata", "save_metadata", "save_metrics"],
    "fedn.utils.helpers.helperbase": ["HelperBase"],
    "fedn.utils.helpers.helpers": ["get_helper", "load_metadata", "save_metadata", "save_metrics"],
    "fedn.utils.helpers.plugins.androidhelper": ["Helper"],
    "fedn.utils.helpers.plugins.binaryhelper": ["Helper"],
    "fedn.utils.helpers.plugins.numpyhelper": ["Helper"],
    "fedn.utils.helpers.plugins.splitlearninghelper": ["Helper"],
    "fedn.utils.kerashelper": ["KerasHelper"],
    "fedn.utils.kerasweights": ["KerasWeightsHelper"],
    "fedn.utils.numpyarrayhelper": ["NumpyArrayHelper"],
    "fedn.utils.parameters": ["Parameters"],
    "fedn.utils.plugins.helperbase": ["HelperBase"],
    "fedn.utils.plugins.kerashelper": ["Helper"],
    "fedn.utils.plugins.numpyarrayhelper": ["Helper"],
    "fedn.utils.plugins.numpyhelper": ["Helper"],
    "fedn.utils.plugins.pytorchhelper": ["Helper"],
    "fedn.utils.pytorchhelper": ["PytorchHelper"],
}


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """The environment of a Python that has numpy, and neither manta_nb nor anything else."""
    site = tmp_path / "site"
    site.mkdir()
    for part in Path(np.__file__).parents[1].glob("numpy*"):
        (site / part.name).symlink_to(part)
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(shim_folder()), str(site)])}


def bare_python(code: str, env: dict[str, str], folder: Path) -> str:
    """What `code` prints in that Python, or the last line of its error."""
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], env=env, cwd=folder, capture_output=True, text=True, check=False
    )
    return (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines()[-1]


def test_every_name_is_there_with_nothing_but_numpy(bare: dict[str, str], tmp_path: Path):
    """All that packages import from fedn is found by a Python that has only numpy, and brings nothing else in."""
    code = f"""
import importlib, json, sys
missing = [f"{{m}}.{{n}}" for m, names in {NAMES!r}.items() for n in names if not hasattr(importlib.import_module(m), n)]
import fedn
heavy = sorted({{"torch", "manta_nb", "requests", "flwr"}} & {{*sys.modules}})
print(json.dumps([missing, heavy, fedn.__version__.split(".")[0], fedn.utils.dist.get_version("fedn")]))
"""

    assert [[], [], "0", "0.33.0"] == json.loads(bare_python(code, bare, tmp_path))


def test_a_model_goes_through_a_program(bare: dict[str, str], tmp_path: Path):
    """An entry point in its own environment reads a model, writes an update, and its metadata."""
    code = """
from fedn.utils.helpers.helpers import get_helper, save_metadata
helper = get_helper("numpyhelper")
model = helper.load(helper.save([1.0, 2.0], "in.npz"))
helper.save([array + 1 for array in model], "out.npz")
save_metadata({"num_examples": 3}, "out.npz")
print(sum(helper.load("out.npz")), open("out.npz-metadata").read())
"""

    assert '5.0 {"num_examples": 3}' == bare_python(code, bare, tmp_path)


@pytest.mark.parametrize(
    "statement",
    [
        "import fedn.network.clients.fedn_client",
        "from fedn.network.clients.fedn_client import FednClient",
        "from fedn import FednClient",
        "from fedn.utils import environment",
        "import fedn.network.storage",
    ],
)
def test_what_is_not_there_is_explained(statement: str, bare: dict[str, str], tmp_path: Path):
    """The import of another part of FEDn is one line: what is missing, what to do, and how to use the real one."""
    said = bare_python(statement, bare, tmp_path)

    assert said.startswith("ModuleNotFoundError: manta_nb's fedn has no fedn.")
    assert "real_fedn=True" in said
    assert len(said) <= 240


def test_a_missing_part_can_be_tried(bare: dict[str, str], tmp_path: Path):
    """A program that is ready for a missing part goes on, and other missing modules are not explained."""
    code = """
import fedn
try:
    from fedn import FednClient
except ImportError:
    print("ready", hasattr(fedn, "FednClient"), end=" ")
try:
    import fedn_helpers_of_somebody
except ModuleNotFoundError as error:
    print(error.name)
"""

    assert "ready False fedn_helpers_of_somebody" == bare_python(code, bare, tmp_path)


def test_the_api_client_needs_manta_nb(bare: dict[str, str], tmp_path: Path):
    """Where there is no manta_nb, APIClient says that, under both of its names."""
    for statement in ("from fedn import APIClient", "from fedn.network.api.client import APIClient"):
        said = bare_python(statement, bare, tmp_path)

        assert said.startswith("ImportError: fedn.APIClient talks to the nodes of manta_nb"), said


def test_the_logger_prints_to_standard_error(bare: dict[str, str], tmp_path: Path):
    """A line of the logger is written once, with time and level, to the standard error there is at that moment."""
    code = """
import io, sys
from fedn.common.log_config import logger
sys.stderr = io.StringIO()
logger.info("hello")
print(len(sys.stderr.getvalue().splitlines()), sys.stderr.getvalue().endswith("[INFO] hello\\n"))
"""

    assert "1 True" == bare_python(code, bare, tmp_path)


def test_a_real_fedn_is_shadowed_and_comes_back(tmp_path: Path):
    """An installed FEDn is hidden and one line says so; with shims off it is imported, and its errors are its own."""
    (tmp_path / "fedn").mkdir()
    (tmp_path / "fedn" / "__init__.py").write_text("REAL = True\n")
    code = """
import json
from manta_nb.shims import install
notes = install()
import fedn, fedn.utils.helpers
own = fedn.__version__
install("off")
import fedn
try:
    import fedn.utils
except ModuleNotFoundError as error:
    print(json.dumps([notes[0][:50], own, fedn.REAL, str(error)]))
"""
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)

    assert 0 == done.returncode, done.stderr
    note, own, real, error = json.loads(done.stdout)
    assert "the installed package fedn in" in note
    assert ("0.33.0", True, "No module named 'fedn.utils'") == (own, real, error)


@pytest.mark.skipif(find_spec("flwr") is not None, reason="Flower is installed")
def test_the_adapter_of_flower_needs_flower():
    """Without Flower the adapter is imported and says what is missing when it is made."""
    from manta_nb.shims.fedn.utils.flowercompat.client_app_adapter import FlwrClientAppAdapter

    with pytest.raises(ModuleNotFoundError, match="flwr"):
        FlwrClientAppAdapter(object())


def test_a_checksum_is_that_of_the_file(tmp_path: Path):
    """`sha` is the sha256 of the bytes."""
    from manta_nb.shims.fedn.utils.checksum import sha

    (tmp_path / "file").write_bytes(b"abc")

    assert sha(tmp_path / "file").startswith("ba7816bf8f01cfea")


def test_parameters_are_checked():
    """Parameters have names and types, and an error names the one that is wrong."""
    from manta_nb.shims.fedn.common.exceptions import InvalidParameterError
    from manta_nb.shims.fedn.utils.parameters import Parameters

    assert Parameters({"beta": 0.1}).validate({"beta": float})
    with pytest.raises(InvalidParameterError, match="beta must be float, got str"):
        Parameters({"beta": "0.1"}).validate({"beta": float})
    with pytest.raises(InvalidParameterError, match="gamma is not one of beta"):
        Parameters({"gamma": 1.0}).validate({"beta": float})
