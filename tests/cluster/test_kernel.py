"""Nodes of a real Jupyter kernel: its interrupts do not reach them, its death does (faults.md §4, rows 29 and 31)."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import psutil
import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager, start_new_kernel

from tests.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(150)]

START = """
from manta_nb import Session
from tests.cluster.parts import module, pids
s = Session(nodes=3)
before = pids(s)
"""

#: a thread that makes a file as soon as the main thread stands in `Run.wait`
LOOK = """
import sys, threading, time
def waits():
    frame = sys._current_frames()[threading.main_thread().ident]
    while frame is not None and frame.f_code.co_qualname != "Run.wait":
        frame = frame.f_back
    return frame is not None
def look():
    while not waits():
        time.sleep(0.01)
    open({path!r}, "w").close()
threading.Thread(target=look).start()
"""


class Kernel:
    """A kernel of its own, and what its cells say."""

    def __init__(self, manager: KernelManager, client: BlockingKernelClient) -> None:
        self.manager = manager
        self._client = client

    @property
    def pid(self) -> int:
        """Its process."""
        return int(self.manager.provisioner.pid)  # type: ignore[union-attr]

    def send(self, text: str) -> str:
        """Start a cell; the id of its request."""
        # an error must not take the cells along that are sent after it
        return str(self._client.execute(text, stop_on_error=False))

    def told(self, request: str, timeout: float = 60) -> tuple[str, str]:
        """Wait for a cell: how it ended (`ok` or the exception), and all that it showed."""
        shown, ended, deadline = "", "ok", time.monotonic() + timeout
        while True:
            message = self._client.get_iopub_msg(timeout=max(0.1, deadline - time.monotonic()))
            kind, content = message["msg_type"], message["content"]
            if message["parent_header"].get("msg_id") != request:
                continue
            if kind == "error":
                ended, shown = content["ename"], shown + "\n".join(content["traceback"])
            shown += content.get("text") or content.get("data", {}).get("text/plain", "")
            if kind == "status" and content["execution_state"] == "idle":
                return ended, shown

    def cell(self, text: str) -> str:
        """What a cell shows, that ends well."""
        ended, shown = self.told(self.send(text))
        assert ended == "ok", shown
        return shown

    def family(self) -> list[psutil.Process]:
        """It and all processes below it."""
        process = psutil.Process(self.pid)
        return [process, *process.children(recursive=True)]


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    """A kernel with three nodes."""
    manager, client = start_new_kernel(kernel_name="python3", cwd=os.getcwd())
    started = Kernel(manager, client)
    started.cell(START)
    yield started
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def test_an_interrupt_ends_the_cell_and_nothing_else(kernel: Kernel, tmp_path: Any) -> None:
    """Of a busy cell, then of a waiting one: the nodes are the same, the run goes on, the next task works."""
    busy = kernel.send(f"open({str(tmp_path / 'busy')!r}, 'w').close()\nwhile True: pass")
    until((tmp_path / "busy").exists)
    kernel.manager.interrupt_kernel()
    ended, _ = kernel.told(busy)
    assert ended == "KeyboardInterrupt"

    gate = tmp_path / "gate"
    body = f"world.metric('m', 1)\\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.002)"
    kernel.cell(f'fl = s.run(module("{body}"), iterations=1, name="fl")')
    kernel.cell(LOOK.format(path=str(tmp_path / "waiting")))
    waiting = kernel.send("fl.wait()")
    until((tmp_path / "waiting").exists)
    kernel.manager.interrupt_kernel()
    ended, shown = kernel.told(waiting)
    assert ended == "WaitingInterrupted", shown
    assert "fl goes on (0 of 1); fl.stop() ends it" in shown
    assert kernel.cell("print(fl.status)") == "running\n"

    gate.touch()
    assert kernel.cell("print(fl.wait(20).status, len(fl.metrics))") == "completed 3\n"
    assert kernel.cell("print(pids(s) == before, s.nodes['node_1'].state)") == "True idle\n"
    again = "print(len(s.run(module(\"world.metric('m', 1)\"), iterations=1).wait(20).metrics))"
    assert kernel.cell(again) == "3\n"


def test_a_killed_kernel_leaves_no_process(kernel: Kernel) -> None:
    """In the middle of tasks that hold the GIL or swallow everything: all are gone within two seconds."""
    body = "import ctypes\\nworld.metric('m', 1)\\nctypes.PyDLL(None).usleep(3_000_000_000)"
    kernel.cell(
        f'fl = s.run(module("{body}"), iterations=1)\nimport time\nwhile len(fl.metrics) < 3: time.sleep(0.01)'
    )
    family = kernel.family()
    os.kill(kernel.pid, signal.SIGKILL)
    start = time.monotonic()
    until(lambda: not [each for each in family if _runs(each)], 5, "processes are left")

    assert len(family) >= 10
    assert time.monotonic() - start < 2


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
