"""What imports torch for the nodes ends with the kernel that wanted them, also while it imports."""

from __future__ import annotations

import signal
import subprocess
import sys

import psutil
import pytest

from manta_nb.runtime.cluster import PRELOAD
from tests.waiting import until

#: a kernel that waits, and a forkserver that has begun its imports and takes a minute for them
KERNEL = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]])"
IMPORTS = "import os, time, {module}; {then}; print(os.getpid(), flush=True); time.sleep(60)"


@pytest.mark.parametrize(("then", "ends"), [("pass", True), ("manta_nb.runtime.orphans.unwatch()", False)])
def test_it_ends_with_its_kernel(then: str, ends: bool) -> None:
    """Within two seconds; when the imports are over it no longer looks, as the forkserver itself does then."""
    text = IMPORTS.format(module="manta_nb.runtime.orphans", then=then)
    with subprocess.Popen([sys.executable, "-c", KERNEL, text], stdout=subprocess.PIPE, text=True) as kernel:
        assert kernel.stdout is not None
        process = psutil.Process(int(kernel.stdout.readline()))
        kernel.send_signal(signal.SIGKILL)
        kernel.wait(5)

        try:
            if ends:
                until(lambda: _over(process), 2)
            else:
                with pytest.raises(psutil.TimeoutExpired):
                    process.wait(1)
        finally:
            if process.is_running():
                process.kill()


def _over(process: psutil.Process) -> bool:
    """It has ended, whether or not whoever inherited it has taken note: the first process of a container may never."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_it_looks_from_the_first_import_on() -> None:
    """Whatever else is imported comes after it."""
    assert PRELOAD[0] == "manta_nb.runtime.orphans"
    assert PRELOAD[-1] == "manta_nb.runtime.forkserver"
