"""`swarm.SwarmCallback`: Swarm Learning 0.3, snake_case, keyword-only, one name for Keras and PyTorch."""

from __future__ import annotations

import sys
from typing import Any

from ._callback import CallbackBase
from ._errors import SwarmError
from ._platforms import framework_of, keras_kind, platform_of
from ._settings import MODES, Settings, adaptive, one_of, positive, size, weight

__all__ = ["SwarmCallback"]

_NO_MODEL = "PyTorch needs the model: SwarmCallback(model=your_model, …)"
_NO_PLATFORM = (
    "SwarmCallback does not see which framework this is: import torch or keras first, "
    "or say ml_platform='PYTORCH' or 'KERAS'"
)


def _same_as(name: str) -> Any:
    """The attribute `name` under its name of this family."""

    def read(self: Any) -> Any:
        return getattr(self, name)

    def write(self: Any, value: Any) -> None:
        setattr(self, name, value)

    return property(read, write, doc=f"The same as `{name}`.")


class SwarmCallback(CallbackBase):
    """Merges the model of a training with those of the other nodes.

    For Keras it is a callback among others: `model.fit(…, callbacks=[swarm_callback])`. With PyTorch the script calls
    `on_train_begin()`, `on_batch_end()`, `on_epoch_end()` and `on_train_end()`, and the model is merged in place.

    Args:
        sync_interval: batches between merges; 128: after batches 128, 256, …, counted over all epochs.
        min_peers: so many nodes have to be ready for a merge.
        use_adaptive_sync: whether the interval follows the loss on `val_data`, which it then needs.
        val_data: what each merged model is tried on: a pair of arrays, a Dataset, a DataLoader or a generator.
        val_batch_size: samples in a batch of `val_data`.
        checkin_model_on_train_end: what the node contributes until the others have ended, too: "inactive" nothing,
            "snapshot" its weights of that moment, "active" the last merged ones.
        node_weightage: its share in the merge, 0 to 100, relative to the other nodes'.
        ml_platform: "KERAS" or "TF", "PYTORCH"; None: seen by the model, or by what is imported.
        model_name: a name for the session; it has no effect.
        model: the model of PyTorch.
        logger: another logger than "SwarmCallback".
        unknown: other parameters are accepted with a warning.

    Raises:
        SwarmError: a parameter that cannot be right; no node to speak to; a merge that failed.

    Example:
        `SwarmCallback(sync_interval=128, min_peers=2, val_data=test_set, val_batch_size=128, model=model)`
    """

    def __new__(cls, *args: Any, **parameters: Any) -> SwarmCallback:
        """An instance of a class that is Keras's callback as well, where Keras is what the script uses."""
        del args
        keras = platform_of(parameters.get("ml_platform"), parameters.get("model")) == "KERAS"
        made: SwarmCallback = object.__new__(keras_kind(cls) if keras else cls)
        return made

    sync_interval = _same_as("syncFrequency")
    current_sync_interval = _same_as("currentSyncFrequency")
    steps_before_next_sync = _same_as("stepsBeforeNextSync")
    min_peers = _same_as("minPeers")
    use_adaptive_sync = _same_as("useAdaptiveSync")
    val_data = _same_as("valData")
    val_batch_size = _same_as("valBatchSize")
    checkin_model_on_train_end = _same_as("checkinModelOnTrainEnd")
    node_weightage = _same_as("nodeWeightage")
    ml_platform = _same_as("mlPlatform")
    is_swarm_training_over = _same_as("isSwarmTrainingOver")
    epochs_completed = _same_as("epochsCompleted")
    total_epochs = _same_as("totalEpochs")

    def __init__(
        self,
        *,
        sync_interval: Any,
        min_peers: Any,
        use_adaptive_sync: Any = False,
        val_data: Any = None,
        val_batch_size: Any = None,
        checkin_model_on_train_end: Any = "snapshot",
        node_weightage: Any = 1,
        ml_platform: Any = None,
        model_name: Any = "swarm_model",
        model: Any = None,
        logger: Any = None,
        **unknown: Any,
    ) -> None:
        super().__init__(logger)
        self.model_name = model_name
        if unknown:
            self.logger.warning("SwarmCallback does not know %s: ignored", ", ".join(unknown)[:120])
        try:
            settings = Settings(
                family="swarm",
                sync_interval=positive("sync_interval", sync_interval),
                min_peers=positive("min_peers", min_peers),
                adaptive=adaptive(use_adaptive_sync, val_data, "use_adaptive_sync needs val_data"),
                val_data=val_data,
                val_batch_size=size(val_batch_size),
                mode=one_of("checkin_model_on_train_end", checkin_model_on_train_end, MODES),
                weight=weight(node_weightage, 0, "node_weightage has to be a number from 0 to 100"),
            )
            complaint = _NO_PLATFORM if ml_platform is None and "torch" not in sys.modules else _NO_MODEL
            self._start(settings, framework_of(self, model, settings, complaint))
        except SwarmError as error:
            self.logger.error(str(error))
            raise
