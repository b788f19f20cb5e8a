"""What is wrong with a package, a model or an option is one clear line, before nodes are started where that can be."""

from __future__ import annotations

import io
import math
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from manta_nb import fedn
from manta_nb.cli.main import main
from manta_nb.errors import MantaError, PackageError, UsageError
from manta_nb.fedn.outcome import as_json
from manta_nb.session.run import Run
from manta_nb.session.session import Session
from tests.cli.fakes import Streams
from tests.compat.fedn.packages import packed, tar_of, write_package
from tests.fedn.packages import PACKAGES, client

ZEROS = PACKAGES / "zeros.npz"
TRAIN = "entry_points:\n  train:\n    command: python train.py\n"
BUILD = f"{TRAIN}  build:\n    command: python build.py\n"

#: files of packages that no first model can be made for, or that are none → what is said
NO_PACKAGE: Mapping[str, tuple[Mapping[str, str], str]] = {
    "no fedn.yaml": ({"train.py": ""}, "has no fedn.yaml: it has "),
    "not YAML": ({"fedn.yaml": "entry_points: [\n"}, "fedn.yaml, line 2"),
    "empty": ({"fedn.yaml": ""}, "fedn.yaml is empty"),
    "no train": (
        {"fedn.yaml": "entry_points:\n  validate:\n    command: python v.py\n"},
        "no entry point train, only validate",
    ),
    "callbacks": (
        {"fedn.yaml": "entry_points:\n  build: build.py\n  startup: startup.py\n"},
        "startup.py is for FEDn's importer client",
    ),
    "callbacks as commands": (
        {"scaleout.yaml": "entry_points:\n  startup:\n    command: startup.py\n"},
        "scaleout.yaml has no train: startup.py is for FEDn's importer client",
    ),
    "no command": ({"fedn.yaml": "entry_points:\n  train:\n    cmd: x\n"}, "no command"),
    "no way to make a model": (
        {"fedn.yaml": TRAIN, "train.py": "x = 1"},
        "has neither an entry point build nor init_seed",
    ),
    "init_seed elsewhere": (
        {"fedn.yaml": TRAIN, "train.py": "import net", "net.py": "def init_seed(out): ..."},
        "manta-nb fedn exec -- python -c \"import net; net.init_seed('../seed.npz')\"",
    ),
    "build fails": (
        {"fedn.yaml": BUILD, "build.py": "raise ValueError('no weights')"},
        "ended with exit code 1: ValueError: no weights; or give a seed_model",
    ),
    "build needs a module": (
        {"fedn.yaml": BUILD, "build.py": "try:\n  import monay\nexcept KeyError: ..."},
        "monay is not installed: pip install monay",
    ),
    "build writes nothing": ({"fedn.yaml": BUILD, "build.py": ""}, "wrote no model (.npz)"),
    "build writes another thing": (
        {"fedn.yaml": BUILD, "build.py": "open('../seed.npz', 'w').write('x')"},
        "seed.npz cannot be read as a model",
    ),
    "python_env is no list": ({"fedn.yaml": f"{TRAIN}python_env: env.yaml\n", "env.yaml": "dependencies: 3"}, "env.yaml"),
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(*words: str | Path) -> str:
    """The last line of `manta-nb fedn run` with these words, which is a mistake, and told as one."""
    streams = Streams()
    code = main(["fedn", "run", *map(str, words)], streams.console)
    last = streams.err.splitlines()[-1]
    assert (code, streams.out) == (2, "") and "nodes …" not in streams.err and "Traceback (most" not in last
    assert last.startswith("error: ") and len(last) <= 207, last
    return last


@pytest.mark.parametrize("what", NO_PACKAGE)
def test_a_package_that_is_none(folder: Path, what: str) -> None:
    """Says what is missing, and what to write or to give instead."""
    files, told = NO_PACKAGE[what]
    package = write_package(folder / "mine", files)

    assert told in refused(package)
    assert told in refused(packed("tutorial's tgz", package, folder / "packed"))


def seeds(folder: Path) -> Mapping[str, Path]:
    """Files that are no first model."""
    made = {name: folder / f"{name}.npz" for name in ("text", "empty", "pickled", "nothing", "truncated")}
    made["text"].write_text("hello")
    made["empty"].touch()
    np.savez(made["pickled"], np.array([{"a": 1}], dtype=object))
    np.savez(made["nothing"])
    made["truncated"].write_bytes(ZEROS.read_bytes()[:-40])
    return made | {"missing": folder / "missing.npz", "folder": folder}


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("text", "text.npz cannot be read as a model: it is no .npz file"),
        ("empty", "empty.npz cannot be read as a model: it is empty"),
        ("pickled", "holds pickled Python objects, which are not read"),
        ("nothing", "nothing.npz holds no arrays"),
        ("truncated", "truncated or damaged"),
        ("missing", "is not there: name the file"),
        ("folder", "is a folder: name the file"),
    ],
)
def test_a_seed_model_that_cannot_be_loaded(folder: Path, what: str, told: str) -> None:
    """Says what the file is; nothing in it is unpickled."""
    assert told in refused(client("good"), "--seed-model", seeds(folder)[what])


def _member(kind: bytes, link: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo()
    made.type, made.linkname = kind, link
    return made


@pytest.mark.parametrize(
    ("name", "member"),
    [
        ("../outside", "x"),
        ("/etc/outside", "x"),
        ("client/../../outside", "x"),
        ("device", _member(tarfile.CHRTYPE)),
    ],
)
def test_an_archive_that_leads_outside(folder: Path, name: str, member: object) -> None:
    """Is refused as a whole, and nothing of it is unpacked."""
    archive = tar_of(folder / "evil.tgz", {name: member})

    assert "evil.tgz" in refused(archive, "--seed-model", ZEROS)
    assert not (folder.parent / "outside").exists()


def test_an_archive_that_is_none(folder: Path) -> None:
    """A text file, an empty one, half a one."""
    whole = packed("tutorial's tgz", client("good"), folder / "packed").read_bytes()
    for content in (b"hello", b"", whole[: len(whole) // 2]):
        (folder / "package.tgz").write_bytes(content)

        assert "package.tgz" in refused("package.tgz")


def test_a_checksum_that_differs(folder: Path) -> None:
    """Is told with both sums before the archive is looked into."""
    package = packed("tutorial's tgz", client("good"), folder / "packed")

    assert (
        "the checksum of a.tgz is" in (line := refused(package, "--checksum", "ab" * 32)) and "abab" in line
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{'a': 1}", "env.json is not JSON"),
        ("[1]", 'node_env is {"node_0": {"NAME": "value"}, …}'),
        ('{"node_0": "A=1"}', 'node_env is {"node_0": {"NAME": "value"}, …}'),
        ('{"node_0": {"A": [1]}}', "node_env: A of node_0 must be a text or a number, got [1]"),
        ('{"node_0": {"A=B": "1"}}', "node_env: A=B of node_0"),
        (None, "node_env: cannot read env.json"),
    ],
)
def test_variables_that_are_none(folder: Path, text: str | None, told: str) -> None:
    """A file that is not there, not JSON, or something else in it."""
    if text is not None:
        Path("env.json").write_text(text)

    assert told in refused(client("good"), "--node-env", "env.json")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("class ServerFunctions(:\n", "server_functions, line 1: invalid syntax"),
        ("x = 1\n", "server_functions have no class ServerFunctions"),
    ],
)
def test_server_functions_that_are_none(folder: Path, text: str, told: str) -> None:
    """Are told before nodes are started; nothing of them is executed here."""
    Path("server.py").write_text(text)

    assert told in refused(client("good"), "--server-functions", "server.py", "--seed-model", ZEROS)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"rounds": 0}, "rounds must be a whole number ≥ 1, got 0"),
        ({"min_clients": True}, "min_clients must be a whole number ≥ 1, got True"),
        ({"python_env": "conda"}, "python_env must be 'ambient' or 'venv'"),
        ({"aggregator": "fedprox"}, "fedprox"),
        ({"node_env": {"node_0": 3}}, "node_env is"),
        ({"server_functions": 3}, "server_functions must be the class ServerFunctions"),
    ],
)
def test_arguments_in_python(options: dict[str, Any], told: str) -> None:
    """`fedn.run` says what the command line says."""
    with pytest.raises(MantaError, match=r"^.{1,200}$") as raised:
        fedn.run(client("good"), seed_model=ZEROS, **options)

    assert told in str(raised.value) and isinstance(raised.value, PackageError | UsageError)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """Three nodes without data."""
    with Session(nodes=3, workers=1, store=tmp_path_factory.mktemp("store")) as opened:
        yield opened


def go(session: Session, package: Path | str, **options: Any) -> Run:
    """A run of one round that begins with zeros, to its end."""
    lines = io.StringIO()
    run = fedn.run(
        package,
        session=session,
        seed_model=ZEROS,
        rounds=1,
        say=lambda line: print(line, file=lines),
        **options,
    )
    return run.wait(100, check=False)


@pytest.mark.cluster
def test_nodes_that_are_not_there(session: Session) -> None:
    """Fewer than `min_clients`; variables for another one. No run is started."""
    before = len(session.runs)
    with pytest.raises(UsageError, match=r"min_clients=4, but there are 3 nodes"):
        go(session, client("failing"), min_clients=4)
    with pytest.raises(UsageError, match=r"no node 'nodw_1' \(did you mean 'node_1'\?\): there are node_0"):
        go(session, client("failing"), node_env={"nodw_1": {"A": "1"}})

    assert len(session.runs) == before


@pytest.mark.cluster
@pytest.mark.parametrize(
    ("files", "code", "told"),
    [
        (
            {"train.py": "try:\n  import monay\nexcept KeyError: ..."},
            1,
            "monay is not installed: pip install monay",
        ),
        ({"train.py": "import cv3.nothing"}, 1, "cv3 is not installed: pip install cv3"),
        ({"fedn.yaml": TRAIN.replace("python train.py", "no-such-program train")}, 127, "no-such-program"),
        ({"train.py": "import sys; sys.exit('no data here')"}, 1, "no data here"),
        ({"train.py": "def broken(:"}, 1, "SyntaxError"),
        ({"train.py": ""}, 0, "train wrote no model"),
    ],
)
def test_a_program_that_does_not_do_it(
    session: Session, tmp_path: Path, files: Mapping[str, str], code: int, told: str
) -> None:
    """The run has failed, and says why in one line; each node has its exit code."""
    package = write_package(tmp_path / "mine", {"fedn.yaml": TRAIN, **files})
    run = go(session, package)
    failures = fedn.failures(run)

    assert run.status == "failed" and told in run.reason and len(run.error) <= 200
    assert [(row["node"], row["exit_code"]) for row in failures] == [(f"node_{i}", code) for i in range(3)]
    assert all(told in row["message"] and len(row["message"]) <= 200 for row in failures)


@pytest.mark.cluster
def test_metrics_that_are_none(session: Session) -> None:
    """No JSON, nothing, an exit code: named failures; NaN is an event and a gap, and no failure."""
    ways = {"node_0": "badjson", "node_1": "nothing", "node_2": "exit"}
    run = go(
        session, client("failing"), node_env={node: {"FAIL_VALIDATE": how} for node, how in ways.items()}
    )
    messages = {row["node"]: row["message"] for row in fedn.failures(run)}
    gap = go(session, client("failing"), node_env={"node_0": {"FAIL_VALIDATE": "nan"}})

    assert run.status == "completed" and len(fedn.validations(run)) == 0
    assert "is not JSON" in messages["node_0"] and "wrote no metrics" in messages["node_1"]
    assert "no test data" in messages["node_2"]
    assert len(fedn.failures(gap)) == 0 and math.isnan(fedn.validations(gap)[0]["metrics"]["mean"])
    assert as_json(gap, None)["validations"][0]["metrics"] == {"mean": None, "sum": 3.0}
    assert [event.node_id for event in gap.events if event.kind == "nan"] == ["node_0"]


@pytest.mark.cluster
def test_server_functions_that_fail_on_the_node(session: Session) -> None:
    """The run has failed, with the line of their text."""
    text = "import nosuch\nclass ServerFunctions: ..."
    run = go(session, client("settings"), server_functions=text)

    assert run.status == "failed" and "line 1" in run.reason and "nosuch" in run.reason
