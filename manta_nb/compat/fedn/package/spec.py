"""What `fedn.yaml` says: the entry points of a package and their commands, in the grammar of every version of FEDn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from manta_nb.errors import PackageError
from manta_nb.sdk.names import did_you_mean, listed, shorten
from manta_nb.sdk.parse import one_line

__all__ = ["PackageSpec", "load_mapping", "parse_spec"]

#: characters; those that exist have a few hundred
_LONGEST = 1_000_000


@dataclass(frozen=True)
class PackageSpec:
    """The entry points of a package."""

    #: what it was read from: "fedn.yaml"
    file_name: str
    #: name → command: `{"train": "python train.py"}`
    entry_points: Mapping[str, str]
    #: the file that names what to install: "python_env.yaml"
    python_env: str | None = None

    def command(self, name: str) -> str:
        """The command of an entry point, or a `PackageError` that says which there are."""
        try:
            return self.entry_points[name]
        except KeyError:
            have = listed(sorted(self.entry_points))
            hint = did_you_mean(name, self.entry_points)
            raise PackageError(
                one_line(
                    f"{self.file_name} has no entry point {shorten(repr(name), 40)}: it has {have}{hint}"
                )
            ) from None


def parse_spec(text: str, file_name: str = "fedn.yaml") -> PackageSpec:
    """Read `fedn.yaml`; keys that no version knows are passed over, as FEDn does.

    Example:
        `parse_spec("entry_points:\\n  train:\\n    command: python train.py")`

    Raises:
        PackageError: it is not YAML (with the line), has no entry points or no `train`, or a command is no text.
    """
    content = load_mapping(text, file_name)
    points = content.get("entry_points")
    if not isinstance(points, Mapping) or not points:
        raise PackageError(
            f"{file_name} has no entry_points: it needs entry_points: train: command: python train.py"
        )
    # an entry point without a command is none: FEDn notices when it is called
    commands = {
        str(name): _command(file_name, str(name), point)
        for name, point in points.items()
        if point is not None
    }
    startup = commands.get("startup", "").split()
    if "train" not in commands and len(startup) == 1 and startup[0].endswith(".py"):
        # a file of Python instead of a command: FEDn's client imports it, and it hands over functions
        raise PackageError(
            f"{file_name} has no train: {shorten(startup[0], 40)} is for FEDn's importer client, with callbacks; "
            "a package that runs here has entry_points: train: command: python train.py"
        )
    if "train" not in commands:
        raise PackageError(
            one_line(
                f"{file_name} has no entry point train, only {listed(sorted(commands))}: nothing could be trained"
            )
        )
    environment = content.get("python_env")
    if environment is not None and not isinstance(environment, str):
        raise PackageError(f"python_env in {file_name} must be the name of a file, such as python_env.yaml")
    return PackageSpec(file_name, commands, environment or None)


class _Plain(yaml.SafeLoader):
    """YAML without aliases: a few lines of them make gigabytes, and no `fedn.yaml` needs one."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """See PyYAML."""
        if self.check_event(yaml.AliasEvent):
            event = self.get_event()  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem="aliases (*name) are not taken", problem_mark=event.start_mark)
        return super().compose_node(parent, index)


def load_mapping(text: str, file_name: str) -> dict[str, Any]:
    """A YAML file whose top is a mapping, or a `PackageError` that names it and the line."""
    if len(text) > _LONGEST:
        raise PackageError(f"{file_name} has {len(text):,} characters: that is no {file_name}")
    try:
        content = yaml.load(text.removeprefix("\ufeff"), _Plain)  # noqa: S506 - a safe loader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f", line {mark.line + 1}" if mark else ""
        raise PackageError(one_line(f"{file_name}{where}: {error.problem or 'this is not YAML'}")) from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise PackageError(one_line(f"{file_name} cannot be read as YAML: {error}")) from error
    if not isinstance(content, dict):
        what = "is empty" if content is None else f"is a {type(content).__name__}, not keys with values"
        raise PackageError(f"{file_name} {what}")
    return content


def _command(file_name: str, name: str, point: object) -> str:
    """The command of an entry point: under `command`, or (one writes that, too) the entry point itself."""
    command = point.get("command") if isinstance(point, Mapping) else point
    which = f"the entry point {shorten(name, 40)} in {file_name}"
    if command is None:
        raise PackageError(f"{which} has no command: write command: python {shorten(name, 40)}.py below it")
    if not isinstance(command, str) or not command.strip():
        raise PackageError(
            f"the command of {which} is no text: {shorten(repr(command), 60)}; put it in quotes"
        )
    if "\0" in command:
        raise PackageError(f"the command of {which} has a NUL character")
    # a block of YAML (`command: |`) ends in a newline, after which the paths would be a command of their own
    return command.strip()
