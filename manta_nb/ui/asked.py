"""From the options of a line to arguments: what all lines share that ask for nodes, and for programs on them."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

from manta_nb.ui.parser import Option

if TYPE_CHECKING:
    from manta_nb.session.foreign import NodeWishes

__all__ = ["typed", "wishes", "with_partition"]

Wishes = TypeVar("Wishes", bound="NodeWishes")

#: an option that says which partition is meant
_IMPLIED = {"alpha": "dirichlet", "labels_per_node": "shards", "sizes": "sizes"}


def with_partition(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of `Session`, with the partition that one of them means.

    >>> with_partition({"nodes": 8, "alpha": 0.3})
    {'nodes': 8, 'alpha': 0.3, 'partition': 'dirichlet'}
    """
    implied = [kind for option, kind in _IMPLIED.items() if option in asked]
    return {**asked} if "partition" in asked or not implied else {**asked, "partition": implied[0]}


def typed(options: Namespace, table: Sequence[Option]) -> dict[str, Any]:
    """The options of a table that were typed, by key; what was not is left out: nodes in use then stay as they are."""
    return {option.key: getattr(options, option.key) for option in table if option.name in options.given}


def wishes(kind: type[Wishes], found: Mapping[str, Any]) -> Wishes:
    """What a program on nodes is asked for; what is none of its own is an argument of `Session`."""
    own = {each.name for each in fields(kind)}
    known = {key: value for key, value in found.items() if key in own}
    others = with_partition({key: value for key, value in found.items() if key not in own})
    return kind(**known, options=others)
