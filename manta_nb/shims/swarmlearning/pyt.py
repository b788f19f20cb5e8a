"""PyTorch: `from swarmlearning.pyt import SwarmCallback`."""

from __future__ import annotations

from typing import Any

from ._family import CONTRACT as DEFAULT_TRAINING_CONTRACT
from ._family import FamilyCallback, SwarmError

__all__ = ["DEFAULT_TRAINING_CONTRACT", "SwarmCallback", "SwarmError"]


class SwarmCallback(FamilyCallback):
    """Merges the model of a training loop with those of the other nodes, in place.

    The script calls `on_train_begin()`, `on_batch_end()`, `on_epoch_end()` and `on_train_end()`.

    Args:
        syncFrequency: batches between merges; 128: after batches 128, 256, …, counted over all epochs.
        minPeers: so many nodes have to be ready for a merge.
        trainingContract: a name; each run is a swarm of its own, so it has no effect.
        kwargs: `model` (needed), `useAdaptiveSync`, `adsValData` (a DataLoader or a Dataset), `adsValBatchSize`,
            `checkinModelOnTrainEnd` ("inactive", "snapshot", "active"), `nodeWeightage` (1 to 100),
            `mergeMethod` ("mean", "coordmedian", "geomedian"), `totalEpochs`, `lossFunction` and `lossFunctionArgs`
            (of torch.nn), `metricFunction` and `metricFunctionArgs` (of torchmetrics), `logger`, `ml_platform`
            ("PYTORCH"); others are ignored.

    Raises:
        SwarmError: a parameter that cannot be right; no node to speak to; a merge that failed.

    Example:
        `SwarmCallback(syncFrequency=128, minPeers=2, model=model, adsValData=loader, lossFunction="NLLLoss")`
    """

    _platform = "PYTORCH"
    _no_model = "Pytorch model is None"

    def _demand_data(self, data: Any) -> None:
        # HPE's since 2.1 takes a DataLoader only; its examples up to 2.0, which shall run as well, give a Dataset.
        if data is not None and (isinstance(data, (str, bytes, dict)) or not _has_items(data)):
            raise SwarmError(
                f"adsValData type passed is {type(data)}, not matching with torch.utils.data.DataLoader"
            )


def _has_items(data: Any) -> bool:
    return any(hasattr(data, name) for name in ("__iter__", "__next__", "__getitem__"))
