"""A program that was forked cannot tell: what it says is what it says as a process of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.compat.fedn.warmth import Both


@pytest.fixture(scope="module")
def meeting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    place = tmp_path_factory.mktemp("meeting") / "place"
    yield place
    Both(place, place).leave()


@pytest.fixture
def both(tmp_path: Path, meeting: Path) -> Both:
    return Both(tmp_path, meeting)


REPORT = """
    import asyncio, gc, inspect, io, json, locale, logging, multiprocessing, os, resource, signal, socket, sys, threading
    import warnings, weakref
    import numpy, torch
    me = sys.modules["__main__"]
    report = {
        "argv": sys.argv, "orig_argv": sys.orig_argv, "cwd": os.getcwd(), "environ": sorted(os.environ.items()),
        "main": {name: str(value) for name, value in sorted(vars(me).items()) if name.startswith("__")},
        "path": sys.path, "meta_path": [getattr(finder, "__name__", type(finder).__name__) for finder in sys.meta_path],
        "hooks": [str(hook) for hook in (sys.excepthook, sys.displayhook, sys.unraisablehook, threading.excepthook)],
        "flags": str(sys.flags), "executable": sys.executable, "prefix": sys.prefix, "warnoptions": sys.warnoptions,
        "root": [logging.root.level, str(logging.root.handlers), logging.raiseExceptions],
        "loggers": sorted(name for name in logging.Logger.manager.loggerDict),
        "filters": [str(each) for each in warnings.filters],
        "process": [multiprocessing.current_process().name, multiprocessing.current_process().daemon,
                    multiprocessing.parent_process(), multiprocessing.active_children(),
                    multiprocessing.get_start_method(allow_none=True)],
        "signals": {str(number): str(signal.getsignal(number)) for number in sorted(signal.valid_signals())},
        "mask": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
        "descriptors": sorted(os.listdir("/proc/self/fd")),
        "kinds": [os.readlink("/proc/self/fd/0")] + [os.readlink(f"/proc/self/fd/{fd}").partition(":")[0] for fd in (1, 2)],
        "inheritable": [os.get_inheritable(fd) for fd in range(3)],
        "streams": [[s.name, s.mode, s.encoding, s.errors, s.line_buffering, s.write_through, s.newlines, str(type(s.buffer)),
                     s.buffer.name if hasattr(s.buffer, "name") else None, s.fileno(), s.isatty(), s.closed]
                    for s in (sys.stdin, sys.stdout, sys.stderr)],
        "originals": [sys.stdin is sys.__stdin__, sys.stdout is sys.__stdout__, sys.stderr is sys.__stderr__],
        "threads": [thread.name for thread in threading.enumerate()], "main_thread": threading.current_thread() is threading.main_thread(),
        "system_threads": len(os.listdir("/proc/self/task")),
        "gc": [gc.get_threshold(), gc.isenabled(), gc.get_debug(), len(gc.callbacks)],
        "limits": [sys.getrecursionlimit(), sys.getswitchinterval(), resource.getrlimit(resource.RLIMIT_NOFILE), resource.getrlimit(resource.RLIMIT_DATA)],
        "umask": os.umask(0o22), "nice": os.nice(0), "affinity": sorted(os.sched_getaffinity(0)), "leads": os.getpgrp() == os.getpid(),
        "leads_session": os.getsid(0) == os.getpid(), "timeout": socket.getdefaulttimeout(), "locale": locale.getlocale(),
        "policy": type(asyncio.get_event_loop_policy()).__name__, "bytecode": sys.dont_write_bytecode,
        "torch": [torch.get_num_threads(), torch.get_num_interop_threads(), torch.initial_seed(), str(torch.get_default_dtype()), torch.is_grad_enabled()],
        "hash": hash("manta"), "name": __name__, "trace": [sys.gettrace(), sys.getprofile()],
        "printing": numpy.get_printoptions()["precision"], "errors": numpy.geterr(), "last": hasattr(sys, "last_value"),
        "importers": [key for key in sys.path_importer_cache if not os.path.isabs(key)], "threads_next": threading.Thread().name,
        "executor": __import__("concurrent.futures").futures.ThreadPoolExecutor()._thread_name_prefix,
    }
    for name, value in report.items():
        print(name, value)
"""


def test_what_a_program_sees_of_its_process_is_the_same(both: Both) -> None:
    """Arguments, environment, paths, streams, signals, threads, hooks, loggers and limits are those of a cold start."""
    both.write("main.py", REPORT)
    program = both.program("train", "in file", "öut", script="main.py")

    assert both.cold(program, seed=1) == both.warm(program, seed=1)


#: name → (program, its arguments): the same code, lines and errors both ways
PROGRAMS = {
    "returns": ("print('done')", ()),
    "exit none": ("import sys; sys.exit()", ()),
    "exit 3": ("raise SystemExit(3)", ()),
    "exit -1": ("import sys; sys.exit(-1)", ()),
    "exit 256": ("import sys; sys.exit(256)", ()),
    "exit huge": ("import sys; sys.exit(2**70)", ()),
    "exit text": ("import sys; sys.exit('no data')", ()),
    "exit object": ("import sys; sys.exit(('a', 1))", ()),
    "exit true": ("import sys; sys.exit(True)", ()),
    "hard exit": ("import os; print('now', flush=True); os._exit(7)", ()),
    "killed": ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", ()),
    "terminated": ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", ()),
    "interrupted": ("import os, signal, time; os.kill(os.getpid(), signal.SIGINT); time.sleep(5)", ()),
    "abort": ("import os; os.abort()", ()),
    "raises": (
        """
        def outer(value):
            try:
                return 1 / value
            except ZeroDivisionError as error:
                raise ValueError(f"bad value {value}") from error

        outer(0)
        """,
        (),
    ),
    "raises in a module": ("import helper\nhelper.fail()", ()),
    "context": ("try:\n    {}['x']\nexcept KeyError:\n    int('y')", ()),
    "group": ("raise ExceptionGroup('many', [ValueError(1), TypeError('two')])", ()),
    "notes": ("error = ValueError('x'); error.add_note('look here'); raise error", ()),
    "own hook": (
        "import sys\nsys.excepthook = lambda kind, error, trace: print('hook', kind, error, trace.tb_lineno)\n1 / 0",
        (),
    ),
    "failing hook": (
        "import sys\ndef hook(*of): raise RuntimeError('in the hook')\nsys.excepthook = hook\n1 / 0",
        (),
    ),
    "no hook": ("import sys\ndel sys.excepthook\n1 / 0", ()),
    "exiting hook": ("import sys\nsys.excepthook = lambda *of: sys.exit(9)\n1 / 0", ()),
    "quiet hook": ("import sys\nsys.tracebacklimit = 0\n1 / 0", ()),
    "missing module": ("import not_there_at_all", ()),
    "missing name": ("from torch import not_there_at_all", ()),
    "at exit": (
        """
        import atexit, logging
        logging.basicConfig(level="INFO", format="%(levelname)s %(name)s %(message)s")
        atexit.register(print, "first registered")
        @atexit.register
        def last():
            print("last registered")
            raise OSError("ignored")
        logging.getLogger("mine").info("hello")
        raise SystemExit(4)
        """,
        (),
    ),
    "goodbye": (
        """
        class Bye:
            def __init__(self, name): self.name = name
            def __del__(self): print("bye", self.name)
        a, _b, c = Bye("a"), Bye("_b"), [Bye("c")]
        c.append(c)
        del c
        stream = open("left.txt", "w")
        stream.write("never closed")
        """,
        (),
    ),
    "finalizers": (
        """
        import tempfile, weakref
        class Thing: pass
        thing = Thing()
        weakref.finalize(thing, print, "finalized")
        folder = tempfile.TemporaryDirectory()
        print("end")
        """,
        (),
    ),
    "thread left": (
        """
        import threading, time
        def work():
            threading.Event().wait(0.2)
            print("thread is done")
        threading.Thread(target=work).start()
        print("main is done")
        """,
        (),
    ),
    "daemon left": (
        "import threading; threading.Thread(target=threading.Event().wait, daemon=True).start(); print('main is done')",
        (),
    ),
    "thread fails": (
        "import threading\nt = threading.Thread(target=lambda: 1 / 0); t.start(); t.join(); print('on')",
        (),
    ),
    "executor": (
        (
            "from concurrent.futures import *\nprint(list(ThreadPoolExecutor(2).map(abs, [-1, 2])))\n"
            "import threading\nprint(ThreadPoolExecutor(1).submit(lambda: threading.current_thread().name).result())"
        ),
        (),
    ),
    "unicode": ("print('Élève 学习 🙂'); import sys; print('\\udcff', 'ü', file=sys.stderr)", ("öäü",)),
    "reads stdin": ("import sys\nprint(repr(sys.stdin.read()))\ninput()", ()),
    "a megabyte": ("for n in range(10_000): print(f'{n:0100d}')\nprint('x' * 1_000_000)", ()),
    "no line end": ("import sys; sys.stdout.write('no end'); sys.stderr.write('nor here')", ()),
    "carriage returns": ("import sys\nfor n in range(5): sys.stdout.write(f'\\r{n}')\nprint()", ()),
    "closes stdout": ("import sys; print('a'); sys.stdout.close()", ()),
    "prints from c": ("import ctypes; ctypes.CDLL(None).printf(b'from c\\n'); print('from python')", ()),
    "warns": (
        "import warnings\nwarnings.warn('mine')\nwarnings.warn('old', DeprecationWarning)\nimport helper\nhelper.warn()\nhelper.warn()",
        (),
    ),
    "warns as error": ("import warnings\nwarnings.simplefilter('error')\nwarnings.warn('mine')", ()),
    "sets threads": (
        "import torch\nprint(torch.get_num_threads()); torch.set_num_threads(2); print(torch.get_num_threads(), torch.ones(300, 300).mm(torch.ones(300, 300)).sum().item())",
        (),
    ),
    "subprocess": (
        (
            "import subprocess, sys\nprint(subprocess.run([sys.executable, '-c', 'import sys, os; print(os.getcwd(), sys.argv)'], capture_output=True, text=True, check=True).stdout)\n"
            "subprocess.run(['sh', '-c', 'echo from the shell; exit 3'])\nimport os; print(os.system('exit 2'))"
        ),
        (),
    ),
    "forks": (
        "import os, sys\nif os.fork() == 0:\n    print('child'); sys.exit(5)\nprint(os.waitstatus_to_exitcode(os.wait()[1]))",
        (),
    ),
    "new session": ("import os\nos.setsid(); print(os.getsid(0) == os.getpid())", ()),
    "new group": ("import os\nos.setpgrp(); print(os.getpgrp() == os.getpid())", ()),
    "spawns": (
        """
        import multiprocessing
        def double(n): return 2 * n
        if __name__ == "__main__":
            print(multiprocessing.current_process())
            for method in ("spawn", "fork", "forkserver"):
                with multiprocessing.get_context(method).Pool(1) as pool:
                    print(method, pool.map(double, [1, 2]))
        """,
        (),
    ),
    "pickles": (
        """
        import dataclasses, pickle, torch
        @dataclasses.dataclass
        class Mine: x: int
        class Net(torch.nn.Linear): pass
        print(pickle.dumps(Mine(1)), pickle.loads(pickle.dumps(Mine(2))))
        torch.save(Net(2, 1), "net.pt")
        print(type(torch.load("net.pt", weights_only=False)))
        print(Mine.__module__, Net.__qualname__)
        """,
        (),
    ),
    "loader": (
        """
        import torch
        class Data(torch.utils.data.Dataset):
            def __len__(self): return 8
            def __getitem__(self, n): return torch.tensor([float(n)]), torch.utils.data.get_worker_info().id
        if __name__ == "__main__":
            loader = torch.utils.data.DataLoader(Data(), batch_size=2, num_workers=2, persistent_workers=True)
            for _ in range(2):
                print([(x.tolist(), w.tolist()) for x, w in loader])
        """,
        (),
    ),
    "asyncio": (
        "import asyncio\nasync def f(): await asyncio.sleep(0); return 5\nprint(asyncio.run(f()))",
        (),
    ),
    "fire": (
        "import fire\ndef train(a, b, lr=0.1): print(a, b, lr)\nif __name__ == '__main__':\n    fire.Fire({'train': train})",
        ("train", "in.npz", "out.npz", "--lr=0.5"),
    ),
    "fire help": ("import fire\ndef train(a, b, lr=0.1): 'Train.'\nfire.Fire({'train': train})", ("train",)),
    "argparse": (
        "import argparse\np = argparse.ArgumentParser()\np.add_argument('x', type=int)\nprint(p.parse_args())",
        ("no",),
    ),
    "inspects": (
        "import inspect, helper\ndef f(): pass\nprint(inspect.getsource(f), inspect.getfile(f), inspect.getsource(helper.fail))\nprint(__file__, __name__, __spec__, __cached__)",
        (),
    ),
    "reimports": (
        "import importlib, helper\nhelper.changed = 1\nimportlib.reload(helper); print(helper.changed, helper.__spec__.name)",
        (),
    ),
    "writes a module": ("open('fresh.py', 'w').write('value = 1')\nimport fresh\nprint(fresh.value)", ()),
    "imports main": (
        "import __main__, sys\nvalue = 3\nprint(__main__.value, sys.modules['__main__'] is __main__, sorted(n for n in globals() if not n.startswith('_')))",
        (),
    ),
    "changes environment": (
        "import os\nos.environ['X_NEW'] = 'y'\nprint(os.getenv('X_NEW'), os.popen('echo $X_NEW').read())",
        (),
    ),
    "context variables": ("import contextvars\nprint(len(contextvars.copy_context()))", ()),
    "alarm": ("import signal, time\nsignal.alarm(1)\ntime.sleep(10)", ()),
    "trap": (
        "import signal, os\nsignal.signal(signal.SIGTERM, lambda *of: print('term'))\nos.kill(os.getpid(), signal.SIGTERM)\nprint('on')",
        (),
    ),
    "resource": (
        "import resource\nprint(resource.getrlimit(resource.RLIMIT_NOFILE), resource.getrlimit(resource.RLIMIT_CORE))",
        (),
    ),
    "time": ("import time\nprint(time.process_time() < 5)", ()),
    "segfault": ("import ctypes; ctypes.string_at(0)", ()),
    "null byte": ("print('x')\n# \\0", ()),
}

HELPER = """
import warnings

changed = 0

def fail():
    raise LookupError("helper failed")

def warn():
    warnings.warn("from the helper", stacklevel=2)
"""


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_says_and_ends_the_same(both: Both, name: str) -> None:
    """Codes, lines, tracebacks and what is left behind are those of a process of its own."""
    text, args = PROGRAMS[name]
    both.write("helper.py", HELPER)
    both.write("main.py", text)
    program = both.program(*args)
    cold = both.cold(program)
    files = both.take_files()

    warm = both.warm(program)

    assert (cold, files) == (warm, both.take_files())


WAYS = {
    "plain": {"script": "main.py"},
    "dotted": {"script": "./main.py"},
    "up": {"script": "sub/../main.py"},
    "below": {"script": "sub/main.py"},
    "no suffix": {"script": "entrypoint"},
    "link": {"script": "linked"},
    "unbuffered": {"flags": ("-u",)},
    "optimized": {"flags": ("-OO",)},
    "warnings": {"flags": ("-W", "error::DeprecationWarning")},
    "option": {"flags": ("-X", "utf8", "-B")},
    "module": {"module": "main"},
    "module below": {"module": "sub.main"},
    "package": {"module": "sub"},
}

WHERE = """
    import os, sys, warnings
    me = sys.modules["__main__"]
    print(sys.argv, sys.orig_argv, sys.path[:2], sys.flags, __debug__, __name__, __file__, __package__, __spec__, __cached__)
    print({name: str(value) for name, value in vars(me).items() if name.startswith("__")}, sys.stdout.write_through)
    warnings.warn("old", DeprecationWarning)
    assert not "optimized"
    1 / 0
"""


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_start_a_script_is_the_same(both: Both, way: str) -> None:
    """Flags, links, modules and paths of scripts are what they are for Python itself."""
    for name in (
        "main.py",
        "sub/main.py",
        "sub/__main__.py",
        "sub/__init__.py",
        "entrypoint",
        "elsewhere/real.py",
    ):
        both.write(name, WHERE if name != "sub/__init__.py" else "")
    (both.folder / "linked").symlink_to("elsewhere/real.py")
    program = both.program("train", "--lr=0.1", **WAYS[way])

    assert both.cold(program) == both.warm(program)


def test_an_absolute_path_is_the_same(both: Both) -> None:
    """A script of another folder finds its own folder first, and works in the call's."""
    both.write("other place/main.py", WHERE)
    program = both.program(script=str(both.folder / "other place/main.py"))

    assert both.cold(program) == both.warm(program)


DRAWS = """
    import random
    first = random.random()
    import numpy as np
    second = np.random.rand()
    import torch
    print(first, random.gauss(0, 1), second, np.random.randn(), torch.rand(2), torch.nn.Linear(2, 2).weight, hash("x"))
    print(list({"a", "b", "c", "d"}))
"""


def test_a_seed_gives_the_same_numbers(both: Both) -> None:
    """With a seed all three libraries draw the same, cold and warm, and another seed gives others."""
    both.write("main.py", DRAWS)
    program = both.program()

    assert (
        both.cold(program, seed=2**62 + 1)
        == both.warm(program, seed=2**62 + 1)
        == both.warm(program, seed=2**62 + 1)
    )
    assert both.warm(program, seed=2).stdout != both.warm(program, seed=3).stdout


def test_without_a_seed_every_call_draws_its_own_numbers(both: Both) -> None:
    """Programs that come from one process do not draw what another one drew."""
    both.write(
        "main.py",
        "import random, numpy, torch\nfor draw in (random.random, numpy.random.rand, torch.seed, lambda: torch.rand(1)): print(draw())",
    )
    both.write("own.py", "import torch\nprint(torch.rand(1))")

    one, other = both.warm(both.program()), both.warm(both.program())

    assert not set(one.stdout) & set(other.stdout)
    assert both.warm(both.program(script="own.py")) != both.warm(both.program(script="own.py"))
