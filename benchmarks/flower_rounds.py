"""Flower's side of `benchmarks.flower`: run by the Python of `.venv-flower`, which has no manta_nb.

Takes the number of clients, of float32 numbers, of rounds, and the share of the clients that evaluate; prints the
seconds of each round as JSON, in the last line.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
import time

import numpy as np
from flwr.app import ArrayRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid, ServerApp
from flwr.serverapp.strategy import FedAvg
from flwr.simulation import run_simulation

__all__ = ["main"]

client = ClientApp()


@client.train()
def train(message: Message, context: Context) -> Message:
    """The model it read, one number of it counted up."""
    (update,) = message.content["arrays"].to_numpy_ndarrays()
    update = update.copy()
    update[0] += 1
    content = {"arrays": ArrayRecord([update]), "metrics": MetricRecord({"num-examples": 1})}
    return Message(content=RecordDict(content), reply_to=message)


@client.evaluate()
def evaluate(message: Message, context: Context) -> Message:
    """One number of the new model."""
    (model,) = message.content["arrays"].to_numpy_ndarrays()
    metrics = MetricRecord({"num-examples": 1, "counted": float(model[0])})
    return Message(content=RecordDict({"metrics": metrics}), reply_to=message)


def main() -> None:
    """Run and print."""
    clients, size, rounds = (int(argument) for argument in sys.argv[1:4])
    evaluating = float(sys.argv[4])
    ends: list[float] = []
    counted: list[float] = []
    server = ServerApp()

    def note(server_round: int, arrays: ArrayRecord) -> MetricRecord:
        ends.append(time.perf_counter())
        counted.append(float(arrays.to_numpy_ndarrays()[0][0]))
        return MetricRecord({})

    @server.main()
    def serve(grid: Grid, context: Context) -> None:
        strategy = FedAvg(fraction_evaluate=evaluating, min_train_nodes=clients, min_available_nodes=clients)
        model = ArrayRecord([np.zeros(size, dtype=np.float32)])
        strategy.start(grid=grid, initial_arrays=model, num_rounds=rounds, evaluate_fn=note)

    cores = len(os.sched_getaffinity(0))
    backend = {"client_resources": {"num_cpus": 1, "num_gpus": 0.0}, "init_args": {"num_cpus": cores}}
    run_simulation(server, client, num_supernodes=clients, backend_config=backend)
    if not np.allclose(counted, range(rounds + 1)):
        raise SystemExit(f"Flower counted {counted}")
    print(json.dumps([end - start for start, end in itertools.pairwise(ends)]))


if __name__ == "__main__":
    main()
