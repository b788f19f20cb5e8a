"""PyTorch: `from swarmlearning.pyt import SwarmCallback`."""

from __future__ import annotations

import sys
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
        kwargs: `model` (needed), `useAdaptiveSync`, `adsValData` (a DataLoader), `adsValBatchSize`,
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
        # Whoever has a DataLoader has imported torch.
        torch = sys.modules.get("torch")
        if data is not None and (torch is None or not isinstance(data, torch.utils.data.DataLoader)):
            raise SwarmError(
                f"adsValData type passed is {type(data)}, not matching with torch.utils.data.DataLoader"
            )
