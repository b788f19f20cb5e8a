"""Several sessions in one process."""

from __future__ import annotations

import logging

import dask
import distributed
import pytest

from manta_nb import Module, Session

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(120)]

METHOD = "distributed.worker.multiprocessing-method"


def handlers() -> list[int]:
    """How loud Dask is."""
    return [handler.level for handler in logging.getLogger(distributed.__name__).handlers]


def test_the_last_session_restores_what_the_first_found() -> None:
    """While two sessions overlap both run and Dask is quiet; after both nothing of theirs is left in the process."""
    found = dask.config.get(METHOD), handlers()
    module = Module.from_source("def main():\n    print(1)\n", name="idle", method="all")
    first = Session(nodes=2)
    second = Session(nodes=2)
    first.close()
    meanwhile = dask.config.get(METHOD), handlers()
    run = second.run(module, iterations=2).wait()
    second.close()

    assert run.status == "completed"
    assert meanwhile != found
    assert found == (dask.config.get(METHOD), handlers())
