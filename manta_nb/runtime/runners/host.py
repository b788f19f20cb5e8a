"""`BatchHost`: what a task's `World` talks to while a batch runs."""

from __future__ import annotations

import os
from collections.abc import MutableMapping, Sequence
from typing import Any

from manta_nb.errors import DefinitionError, MantaError, MissingTag, ValueRefused
from manta_nb.runtime.runners.channel import Channel
from manta_nb.runtime.runners.ledger import Kind
from manta_nb.runtime.runners.outlet import Outlet, Stream
from manta_nb.runtime.runners.readers import Readers
from manta_nb.runtime.runners.release import Release
from manta_nb.runtime.runners.request import SharedRequest
from manta_nb.runtime.runners.state import NodeState
from manta_nb.sdk.codec import Encoded, decode, encode
from manta_nb.sdk.names import did_you_mean

__all__ = ["BatchHost"]


class BatchHost:
    """Implements `sdk.context.Host` for one node's turn after the other."""

    def __init__(
        self,
        request: SharedRequest,
        readers: Readers,
        outlet: Outlet,
        stream: Stream,
        channel: Channel,
        tags: Sequence[str] = (),
        release: Release | None = None,
    ) -> None:
        self._request = request
        self._readers = readers
        self._outlet = outlet
        self._stream = stream
        self._channel = channel
        self._tags = {tag: number for number, tag in enumerate(tags)}
        #: Globals of this turn: where they were written
        self._own: dict[str, tuple[int, int]] = {}
        self._node = -1
        self._state: NodeState | None = None
        self._process = os.getpid()
        self._release = release or Release(channel)

    def begin(self, node: int, state: NodeState) -> None:
        """The turn of node number `node` begins."""
        self._node = node
        self._state = state
        self._own = {}
        self._readers.next_turn()
        self._outlet.row(Kind.TURN, node)

    def end(self, ok: bool) -> None:
        """The turn is over."""
        self._outlet.row(Kind.DONE if ok else Kind.FAILED, self._node)

    @property
    def lost(self) -> str | None:
        """Key of a segment this turn could not read, also where the task swallowed that."""
        return self._readers.lost

    @property
    def state(self) -> MutableMapping[str, Any]:
        """See `Host.state`."""
        if self._state is None:
            raise RuntimeError("no turn is under way")
        return self._state.values

    def save_state(self) -> None:
        """Keep the node's state if the turn changed it."""
        if self._state is not None and self._state.save():
            self._outlet.row(Kind.STATE, self._node)

    def read_global(self, tag: str) -> Any:
        """See `Host.read_global`."""
        if tag in self._own:
            return decode(memoryview(self._outlet.read(*self._own[tag])), writable=True)
        place = self._request.globals.get(tag)
        if place is None:
            raise MissingTag(_missing("Global", tag, self.global_tags()))
        if self._request.policy.trace:
            self.note("read", f"Global {tag}")
        return self._readers.value(*place)

    def global_tags(self) -> list[str]:
        """See `Host.global_tags`."""
        return list(dict.fromkeys([*self._request.globals, *self._own]))

    def write_global(self, tag: str, value: Any) -> None:
        """See `Host.write_global`."""
        encoded = self._encode(value, f"globals[{tag!r}]")
        self._own[tag] = self._store(Kind.GLOBAL, tag, encoded), encoded.nbytes

    def select(self, tag: str, iteration: int | None, latest: bool) -> dict[str, Any]:
        """See `Host.select`."""
        if not isinstance(tag, str):
            raise ValueRefused(f"select takes the tag as a text, got {type(tag).__name__}")
        places = [(k, segment) for k, segment, tags in self._request.results if tag in tags]
        if iteration is not None:
            self._still_kept(tag, iteration)
            places = [(k, segment) for k, segment in places if k == iteration]
        elif not latest and places:
            newest = max(k for k, _ in places)
            places = [(k, segment) for k, segment in places if k == newest]
        if self._request.policy.trace:
            self.note("read", f"Result {tag}")
        return self._readers.select(tag, [segment for _, segment in places])

    def _still_kept(self, tag: str, iteration: int) -> None:
        if iteration > self._request.iteration:
            raise MissingTag(
                f"iteration {iteration} of {tag!r} is in the future: this is {self._request.iteration}"
            )
        if iteration <= self._request.dropped.get(tag, -1):
            raise MissingTag(
                f"the results {tag!r} of iteration {iteration} are no longer kept: "
                "give the module keep_results=n (or 'all')"
            )

    def add_result(self, tag: str, value: Any) -> None:
        """See `Host.add_result`."""
        encoded = self._encode(value, f"results.add({tag!r})")
        if encoded.nonfinite:
            self._nonfinite(tag, encoded.nonfinite)
        self._store(Kind.RESULT, tag, encoded)

    def _nonfinite(self, tag: str, paths: Sequence[str]) -> None:
        inside = [path.removeprefix(f"results.add({tag!r})") for path in paths[:3]]
        arrays = ", ".join(path or "the array" for path in inside)
        text = f"NaN or inf in result {tag!r}: {arrays}"
        if self._request.policy.on_nan == "refuse":
            raise ValueRefused(f"{text}; this module refuses them (on_nan='refuse')"[:200])
        self.note("nan", text)

    def _encode(self, value: Any, what: str) -> Encoded:
        return encode(value, what=what, limit=self._request.policy.max_value_bytes)

    def _store(self, kind: Kind, tag: str, encoded: Encoded) -> int:
        if os.getpid() != self._process:
            raise MantaError("a process that the task started cannot write: hand the value back to the task")
        if tag not in self._tags:
            self._tags[tag] = len(self._tags)
            self._channel.send({"op": "tag", "name": tag})
        offset = self._outlet.write(encoded, again=kind is Kind.GLOBAL)
        self._outlet.row(kind, self._node, self._tags[tag], offset, encoded.nbytes)
        return offset

    def add_metric(self, name: str, value: float, step: float | None) -> None:
        """See `Host.add_metric`."""
        self._stream.put(("m", self._node, name, value, step))

    def schedule(self, node_ids: Sequence[str], alias: str) -> None:
        """See `Host.schedule`."""
        if alias not in self._request.aliases:
            raise DefinitionError(
                _missing("task", alias, self._request.aliases) + ": name one in schedule_next_iter"
            )
        known = self._request.known_nodes
        unknown = [node for node in node_ids if known is not None and node not in known]
        if unknown:
            raise DefinitionError(_missing("node", unknown[0], known or ()) + " (in schedule_next_iter)")
        self._channel.send({"op": "schedule", "node": self._node, "alias": alias, "nodes": list(node_ids)})

    def stop(self) -> None:
        """See `Host.stop`."""
        self._channel.send({"op": "stop", "node": self._node})

    def quorum(self, nodes: int, patience: float, deadline: float, away: bool) -> None:
        """See `Host.quorum`."""
        told = {"nodes": nodes, "patience": patience, "deadline": deadline, "away": away}
        self._channel.send({"op": "quorum", "node": self._node, "quorum": told})

    @property
    def released(self) -> bool:
        """See `Host.released`."""
        return self._release.look()

    def note(self, kind: str, message: str) -> None:
        """Tell the run's events something about this node."""
        self._channel.send({"op": "note", "node": self._node, "kind": kind, "message": message[:300]})


def _missing(what: str, name: object, there: Sequence[str]) -> str:
    guess = did_you_mean(str(name), there)
    names = ", ".join(there[:8]) + (f" and {len(there) - 8} more" if len(there) > 8 else "")
    return (
        f"no {what} {str(name)[:50]!r}; there {'is' if len(there) == 1 else 'are'}: {names or 'none'}{guess}"[
            :200
        ]
    )
