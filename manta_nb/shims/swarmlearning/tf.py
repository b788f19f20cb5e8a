"""Keras: `from swarmlearning.tf import SwarmCallback`."""

from __future__ import annotations

from typing import Any

from ._family import CONTRACT as DEFAULT_TRAINING_CONTRACT
from ._family import FamilyCallback, SwarmError, keras_kind

__all__ = ["DEFAULT_TRAINING_CONTRACT", "SwarmCallback", "SwarmError"]


class SwarmCallback(FamilyCallback):
    """Merges the model of `fit` with those of the other nodes: `model.fit(…, callbacks=[swarm_callback])`.

    Args:
        syncFrequency: batches between merges; 128: after batches 128, 256, …, counted over all epochs.
        minPeers: so many nodes have to be ready for a merge.
        trainingContract: a name; each run is a swarm of its own, so it has no effect.
        kwargs: `useAdaptiveSync`, `adsValData` ((x, y), (x, y, sample_weight), or what `model.evaluate` takes),
            `adsValBatchSize`, `checkinModelOnTrainEnd` ("inactive", "snapshot", "active"), `nodeWeightage` (1 to 100),
            `mergeMethod` ("mean", "coordmedian", "geomedian"), `totalEpochs`, `logger`, `ml_platform` ("KERAS"); others
            are ignored.

    Raises:
        SwarmError: a parameter that cannot be right; no node to speak to; a merge that failed.

    Example:
        `SwarmCallback(syncFrequency=128, minPeers=2, adsValData=(x_test, y_test), adsValBatchSize=128)`
    """

    _platform = "KERAS"

    def __new__(cls, *args: Any, **kwargs: Any) -> SwarmCallback:
        """An instance of a class that is Keras's callback as well."""
        del args
        # Another platform is refused by __init__, and Keras takes seconds to import.
        kind = keras_kind(cls) if kwargs.get("ml_platform", "KERAS") == "KERAS" else cls
        made: SwarmCallback = object.__new__(kind)
        return made

    def _demand_platform(self, platform: Any) -> None:
        if platform == "TF":
            raise SwarmError(
                "ml_platform='TF', sessions of TensorFlow 1, is not supported: train with Keras, ml_platform='KERAS'"
            )
        super()._demand_platform(platform)
