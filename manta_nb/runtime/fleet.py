"""`Fleet`: the workers of a session, what they post, and who came or went."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from distributed import CancelledError, Client, Future

from manta_nb.errors import NodeError
from manta_nb.runtime.calling import broadcast, cancel, first_words
from manta_nb.runtime.capabilities import HostTag
from manta_nb.runtime.courier import SHARE, Courier, Host
from manta_nb.runtime.runners.request import BatchRequest
from manta_nb.runtime.silence import Expected, Silence, local_scheduler, over_its_time
from manta_nb.runtime.worker import TOPIC, describe, execute_batch, resource_of

__all__ = ["Fleet", "Listener"]


class Listener(Protocol):
    """What a run's dispatcher hears; called on Dask's own thread, so it only enqueues."""

    def posted(self, batch_id: str, message: Mapping[str, Any]) -> None:
        """A worker posted lines or an outcome of a batch."""

    def host_lost(self, host: Host) -> None:
        """A worker is gone."""

    def host_joined(self, host: Host) -> None:
        """A worker is back."""

    # one that wants to know of workers that do not answer has `host_silent(host, seconds)`, too; `host_joined`
    # is called when they do again


class Fleet:
    """Shared by all runs of a session."""

    def __init__(self, client: Client, hosted: Mapping[str, Sequence[str]], shared_values: bool) -> None:
        self.client = client
        self.session = uuid.uuid4().hex
        self.courier = Courier(client, shared_values)
        self.book = self.courier.book
        self.hosts: dict[str, Host] = {}
        #: node → how many times as long its tasks take, because a person wants it; absent: as long as they take
        self.paces: dict[str, float] = {}
        self._of_node: dict[str, str] = {}
        self._listeners: dict[str, Listener] = {}
        self._lock = threading.Lock()
        self._looking = threading.Lock()
        self._closed = False
        #: asked of workers that came back; Dask forgets a task whose future nobody holds
        self._asked: dict[str, Future[Any]] = {}
        self._heard: set[str] = set()
        self._all_heard = threading.Event()
        self._expected = len(hosted)
        client.subscribe_topic(TOPIC, self._on_posted)
        client.subscribe_topic("all", self._on_cluster)
        self._meet(hosted)
        self._silence = Silence(local_scheduler(client), self.hosts.values, self)
        self._silence.start()

    def _meet(self, hosted: Mapping[str, Sequence[str]]) -> None:
        """Ask every worker who it is, until its answer came both as a result and as an event."""
        told: dict[str, dict[str, Any]] = {}
        for _ in range(20):
            missing = [worker_id for worker_id in hosted if worker_id not in self._heard]
            if not missing:
                break
            asked = {worker_id: self._ask(worker_id) for worker_id in missing}
            for answer in first_words(self.client, asked):
                told[answer["worker_id"]] = answer
            self._all_heard.wait(0.5)
        else:
            raise NodeError(
                f"the events of {', '.join(missing[:5])} do not reach the notebook: restart the nodes"
            )
        for worker_id, node_ids in hosted.items():
            tag = HostTag(**told[worker_id]["host"])
            self.hosts[worker_id] = Host(worker_id, tuple(node_ids), tag, told[worker_id]["pid"])
            self._of_node.update(dict.fromkeys(node_ids, worker_id))
        self._locate()

    def _ask(self, worker_id: str) -> Future[Any]:
        key = f"hello-{worker_id}-{uuid.uuid4().hex[:8]}"
        return self.client.submit(
            describe, self.session, key=key, pure=False, resources={resource_of(worker_id): SHARE}
        )

    def _locate(self) -> None:
        """Note the addresses of the workers: what Dask calls them when they go."""
        workers = self.client.scheduler_info(n_workers=-1)["workers"]
        by_resource = {
            name: address for address, info in workers.items() for name in info.get("resources", {})
        }
        for host in self.hosts.values():
            host.address = by_resource.get(resource_of(host.worker_id), host.address)

    def host_of(self, node_id: str) -> Host:
        """The worker that hosts a node."""
        worker_id = self._of_node.get(node_id)
        if worker_id is None:
            raise NodeError(f"no node {node_id!r} in this session; there are {len(self._of_node)}")
        return self.hosts[worker_id]

    def group(self, node_ids: Iterable[str]) -> dict[str, list[str]]:
        """Nodes by the worker that hosts them."""
        groups: dict[str, list[str]] = {}
        of_node = self._of_node
        for node_id in node_ids:
            groups.setdefault(of_node[node_id], []).append(node_id)
        return groups

    def submit(
        self, host: Host, key: str, batch_id: str, request: BatchRequest, futures: Sequence[Future[Any]]
    ) -> Future[Any]:
        """Send a batch to a worker; one that restarts gets it when it is back."""
        sent = self.client.submit(
            execute_batch,
            self.session,
            batch_id,
            request,
            *futures,
            key=key,
            pure=False,
            resources={resource_of(host.worker_id): SHARE},
        )
        if request.policy.timeout is not None:
            self._silence.expect(batch_id, host, request, request.policy.timeout)
            sent.add_done_callback(lambda _: self._silence.settled(batch_id))
        return sent

    def listen(self, name: str, listener: Listener) -> None:
        """Deliver to `listener` what concerns the batches named `name/...`, and who comes and goes."""
        with self._lock:
            self._listeners[name] = listener

    def unlisten(self, name: str) -> None:
        """Stop delivering."""
        with self._lock:
            self._listeners.pop(name, None)

    def _on_posted(self, event: tuple[float, Mapping[str, Any]]) -> None:
        _, message = event
        if message.get("session") != self.session:
            return
        if "hello" in message:
            self._heard.add(message["hello"])
            if (host := self.hosts.get(message["hello"])) is not None:
                host.pid = message["pid"]
            if len(self._heard) >= self._expected:
                self._all_heard.set()
            return
        if (left := self._silence.left_behind(message["batch"], message)) is not None:
            self.courier.forsake(*left)
        self._deliver(message["batch"], message)

    def _deliver(self, batch_id: str, message: Mapping[str, Any]) -> None:
        listener = self._listeners.get(batch_id.partition("/")[0])
        if listener is not None:
            listener.posted(batch_id, message)

    def silent(self, host: Host, seconds: float) -> None:
        """See `Hearer.silent`."""
        self._tell("host_silent", host, seconds)

    def heard(self, host: Host) -> None:
        """See `Hearer.heard`."""
        self._tell("host_joined", host)

    def over(self, expected: Expected, seconds: float) -> None:
        """See `Hearer.over`: answered in the worker's place; what it says itself later comes too late."""
        told = over_its_time(expected.request, expected.timeout, seconds)
        self._deliver(expected.batch_id, told)

    def _on_cluster(self, event: tuple[float, Mapping[str, Any]]) -> None:
        _, message = event
        action, address = message.get("action"), message.get("worker")
        if action == "remove-worker":
            for host in self.hosts.values():
                if host.address == address and host.alive:
                    self._gone(host)
        elif action == "add-worker":
            # not from this thread: it may not wait for the scheduler
            threading.Thread(target=self._welcome, daemon=True).start()

    def _welcome(self) -> None:
        try:
            with self._looking:
                self._find_returned()
        except (OSError, RuntimeError, CancelledError):
            # the session ends while a node comes back: nobody waits for it any more
            if not self._closed:
                raise

    def _find_returned(self) -> None:
        before = {host.worker_id: host.address for host in self.hosts.values()}
        self._locate()
        for host in self.hosts.values():
            if host.address != before[host.worker_id]:
                if host.alive:
                    # it went and came back so fast that its loss was told of an address nobody knew yet
                    self._gone(host)
                host.alive = True
                self._tell("host_joined", host)
                # its pid comes as an event, so that nothing here waits
                self._asked[host.worker_id] = self._ask(host.worker_id)

    def _gone(self, host: Host) -> None:
        host.alive = False
        self.book.worker_gone(host.worker_id)
        self._tell("host_lost", host)

    def _tell(self, what: str, host: Host, *more: float) -> None:
        with self._lock:
            listeners = list(self._listeners.values())
        for listener in listeners:
            if (told := getattr(listener, what, None)) is not None:
                told(host, *more)

    def cancel(self, futures: list[Future[Any]]) -> None:
        """Take back what has not started, without waiting."""
        if futures:
            cancel(self.client, futures)

    def broadcast(self, op: str, worker_ids: Iterable[str], **fields: Any) -> threading.Event:
        """Call a handler of these workers, without waiting; what is returned is set when they have answered."""
        addresses = [self.hosts[worker_id].address for worker_id in worker_ids if self.hosts[worker_id].alive]
        return broadcast(self.client, addresses, op, **fields)

    def close(self) -> None:
        """Stop listening; free the kernel's segments."""
        self._closed = True
        self._silence.close()
        self._asked.clear()
        for topic in (TOPIC, "all"):
            try:
                self.client.unsubscribe_topic(topic)
            except (ValueError, OSError, RuntimeError):
                # the scheduler is gone already
                continue
        self.book.close()
