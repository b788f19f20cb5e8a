"""What `python_env.yaml` asks for, and what of it a Python has."""

from __future__ import annotations

import importlib.metadata
import json
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from manta_nb.compat.fedn.package.spec import load_mapping
from manta_nb.errors import PackageError
from manta_nb.sdk.names import shorten
from manta_nb.sdk.parse import one_line

__all__ = ["PythonEnv", "check", "parse_python_env"]

_KEYS = frozenset({"name", "python", "build_dependencies", "dependencies"})
#: what the shim is, under both names FEDn has had
_FEDN = frozenset({"fedn", "scaleout"})
#: names on the package index that are only pointers to another one
_RENAMED = {"sklearn": "scikit-learn"}
#: what a Python says of itself and of what is installed in it
_REPORT = (
    "import importlib.metadata as m, json, platform\n"
    "found = {}\n"
    "for d in m.distributions(): found.setdefault(d.metadata['Name'] or '', d.version)\n"
    "print(json.dumps({'installed': found, 'version': platform.python_version()}))"
)
_PATIENCE = 60


@dataclass(frozen=True)
class PythonEnv:
    """What a package asks to be installed."""

    #: what it was read from: "python_env.yaml"
    file_name: str
    #: lines as pip takes them, `fedn` left out
    dependencies: tuple[str, ...]
    build_dependencies: tuple[str, ...] = ()
    #: whether `fedn` was among them
    with_fedn: bool = False
    #: keys nobody knows
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Python:
    """A Python as `check` sees it."""

    #: canonical name → version
    installed: Mapping[str, str]
    #: what markers compare with that is not of this process: `python_version`
    markers: Mapping[str, str]


def parse_python_env(text: str, file_name: str = "python_env.yaml") -> PythonEnv:
    """Read `python_env.yaml`; an unknown key is a note.

    Raises:
        PackageError: it is not YAML, or its dependencies are no list of texts.

    Example:
        `parse_python_env("dependencies:\\n  - fedn\\n  - torch==2.4.1")`
    """
    content = load_mapping(text, file_name)
    lines = _lines(content.get("dependencies"), "dependencies", file_name)
    kept = tuple(line for line in lines if not _is_fedn(line))
    unknown = sorted(str(key) for key in content.keys() - _KEYS)
    return PythonEnv(
        file_name,
        dependencies=kept,
        build_dependencies=_lines(content.get("build_dependencies"), "build_dependencies", file_name),
        with_fedn=len(kept) < len(lines),
        notes=tuple(f"{file_name}: {shorten(key, 40)} means nothing here" for key in unknown),
    )


def check(env: PythonEnv, interpreter: str = sys.executable) -> list[str]:
    """A line for each dependency that the Python of a node does not have, or has in another version.

    Example:
        `["python_env.yaml asks for torch==2.4.1, this node has 2.13.0+cpu"]`
    """
    python = _look_at(interpreter)
    return [*env.notes, *(note for line in env.dependencies for note in _unmet(line, env.file_name, python))]


def _unmet(line: str, file_name: str, python: _Python) -> Iterator[str]:
    asks = f"{file_name} asks for {shorten(line, 60)}"
    try:
        requirement = Requirement(line)
    except InvalidRequirement:
        yield f"{asks}, which only pip could check"
        return
    if requirement.marker is not None and not requirement.marker.evaluate(dict(python.markers)):
        return
    name = canonicalize_name(requirement.name)
    name = canonicalize_name(_RENAMED.get(name, name))
    version = python.installed.get(name)
    wanted = f"{name}{requirement.specifier}"
    if version is None:
        yield one_line(
            f"{file_name} asks for {wanted}, which is not installed: pip install {shlex.quote(wanted)}"
        )
    elif not _satisfies(version, requirement.specifier):
        yield one_line(f"{file_name} asks for {wanted}, this node has {version}")


def _satisfies(version: str, specifier: SpecifierSet) -> bool:
    try:
        return specifier.contains(Version(version), prereleases=True)
    except InvalidVersion:
        # what is not numbered as the others are cannot be compared
        return True


def _look_at(interpreter: str) -> _Python:
    if interpreter == sys.executable:
        found: dict[str, str] = {}
        for distribution in importlib.metadata.distributions():
            # of two with the same name, the one that comes first on the path is imported
            found.setdefault(distribution.name or "", distribution.version or "")
        return _Python(_canonical(found), {})
    try:
        done = subprocess.run(
            [interpreter, "-c", _REPORT], capture_output=True, text=True, check=True, timeout=_PATIENCE,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        report = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise PackageError(
            one_line(f"{shorten(interpreter, 100)} cannot be asked what is installed: {error}")
        ) from error
    version = str(report["version"])
    markers = {"python_full_version": version, "python_version": ".".join(version.split(".")[:2])}
    return _Python(_canonical(report["installed"]), markers)


def _canonical(installed: Mapping[str, str]) -> dict[str, str]:
    return {canonicalize_name(name): version for name, version in installed.items()}


def _lines(value: object, key: str, file_name: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(line, str) or line is None for line in value):
        raise PackageError(f"{key} in {file_name} must be a list of requirements, such as - torch==2.4.1")
    return tuple(line.strip() for line in value if line and line.strip())


def _is_fedn(line: str) -> bool:
    try:
        return canonicalize_name(Requirement(line).name) in _FEDN
    except InvalidRequirement:
        return False
