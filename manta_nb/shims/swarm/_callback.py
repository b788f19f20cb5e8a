"""What every SwarmCallback does: it counts batches, checks in, loads what was merged, and says so.

The script's loop calls it, or Keras does; each call of `_sync` is one merge, and lasts as long as the slowest peer.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from ._errors import SwarmError
from ._framework import Framework
from ._link import LOOPBACK, Link, Merged, is_bypassed
from ._log import own_logger
from ._settings import MODES, Settings, one_of, weight
from ._wire import checksum

__all__ = ["CallbackBase"]

#: scripts and people look for this line in the output
_FINISHED = "All peers and Swarm training rounds finished. Final Swarm model was loaded."


class CallbackBase:
    """The calls of a training loop, and the attributes that scripts look at; what is set there counts.

    Attributes:
        logger: where its lines go, "SwarmCallback" unless the script brought one.
        mlCtx: `mlCtx.model` is the model that is merged.
        syncFrequency: batches between merges, as asked for.
        currentSyncFrequency: the same as it is now, where the interval adapts itself.
        stepsBeforeNextSync: batches left until the next merge.
        minPeers: so many nodes have to be ready for a merge.
        nodeWeightage: the weight of this node in its next merge.
        checkinModelOnTrainEnd: what it contributes after its training has ended.
        isSwarmTrainingOver: whether the last merge has been.
        epochsCompleted: calls of `on_epoch_end`.
        totalEpochs: as given; 0: unknown.
    """

    # Names as in HPE's callback: scripts read and set them.
    syncFrequency: int  # noqa: N815
    currentSyncFrequency: int  # noqa: N815
    stepsBeforeNextSync: int  # noqa: N815
    minPeers: int  # noqa: N815
    nodeWeightage: int  # noqa: N815
    checkinModelOnTrainEnd: str  # noqa: N815
    isSwarmTrainingOver: bool  # noqa: N815
    epochsCompleted: int  # noqa: N815
    totalEpochs: int  # noqa: N815
    mlCtx: Any  # noqa: N815

    def __init__(self, logger: Any = None) -> None:
        super().__init__()
        self.logger: Any = own_logger() if logger is None else logger

    def _start(self, settings: Settings, framework: Framework) -> None:
        """Take over the settings, and greet the node."""
        self._settings, self._framework = settings, framework
        self.syncFrequency = self.currentSyncFrequency = self.stepsBeforeNextSync = settings.sync_interval
        self.minPeers, self.nodeWeightage = settings.min_peers, settings.weight
        self.checkinModelOnTrainEnd, self.mergeMethod = settings.mode, settings.merge_method
        self.useAdaptiveSync, self.totalEpochs = settings.adaptive, settings.total_epochs
        self.valData, self.valBatchSize = settings.val_data, settings.val_batch_size
        self.mlPlatform = framework.platform
        self.isSwarmTrainingOver, self.epochsCompleted = False, 0
        self._steps = self._merges = 0
        self._begun = self._ended = False
        self._latest: Mapping[str, np.ndarray] = {}
        self.loopback = is_bypassed(os.environ)
        self._link: Link | None = None
        if self.loopback:
            self.logger.info("%s is set: parameters were checked, and this script trains alone", LOOPBACK)
            self._link = Link.or_none(os.environ)
            return
        self._link = Link.of(os.environ)
        self._link.tell(settings.hello(framework.platform))
        asked = (
            settings.sync_interval,
            settings.min_peers,
            settings.weight,
            settings.mode,
            settings.merge_method,
        )
        line = "merges every %d batches with at least %d peers; weight %d, %s at the end, %s"
        self.logger.info(line, *asked)

    # -- what the training loop calls -------------------------------------------------------------------------

    def on_train_begin(self, logs: Any = None) -> None:
        """Merge the first weights, so that all nodes start from the same ones."""
        del logs
        if self.loopback or self._ended:
            self._say_ended()
        elif self._framework.ready():
            self._begin()
        else:
            # LazyLinear and the like: there is nothing to merge before the first batch.
            self.logger.info("the model has no weights yet: its first merge comes after its first batch")

    def on_batch_end(self, batch: Any = None, logs: Any = None) -> None:
        """Count a batch, and merge where it is the last one of an interval."""
        del batch, logs
        if self.loopback or self._ended:
            return
        if not self._begun:
            self._begin()
        self._steps += 1
        self.stepsBeforeNextSync -= 1
        if self.isSwarmTrainingOver or self.stepsBeforeNextSync > 0:
            return
        self._sync("batch", self._framework.read())
        self._merges += 1

    def on_epoch_end(self, epoch: Any = None, logs: Any = None) -> None:
        """Count an epoch, and let the node know."""
        del epoch, logs
        self.epochsCompleted += 1
        if self._link is not None and not self._ended and not self.isSwarmTrainingOver:
            self._link.tell({"op": "epochs", "done": self.epochsCompleted, "total": self._all_epochs()})

    def on_train_end(self, logs: Any = None) -> None:
        """Stay a peer until all have ended, and leave with the final model of the swarm."""
        del logs
        if self.loopback:
            self._tell_alone()
        if self.loopback or self._ended:
            return
        self._ended = True
        if not self._merges:
            line = (
                "no merge while this node trained: its sync interval of %d batches may be too high, it had %d"
            )
            self.logger.warning(line, self.syncFrequency, self._steps)
        if self.isSwarmTrainingOver:
            self.logger.info("the swarm ended before this node did: its final model replaces the local one")
            if self._latest:
                self._framework.load(self._latest)
        else:
            mode = self.checkinModelOnTrainEnd
            self.logger.info("local training has ended (%s): waiting for the other peers", mode)
            self._finish()
        self.logger.info(_FINISHED)

    # -- merging ----------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        self._begun = True
        if not self.isSwarmTrainingOver:
            self._sync("begin", self._framework.read())

    def _finish(self) -> None:
        """Check in with what the mode says, and take every merge until the last one."""
        local = self._framework.read()
        active = self.checkinModelOnTrainEnd == "active" and self._latest
        merged = self._sync("end", self._latest if active else local)
        while not merged.over:
            # A node that was behind contributes from now on, and what it had is of no use any more.
            merged = self._sync("end", self._framework.read()) if merged.adopted else self._wait()

    def _sync(self, kind: str, arrays: Mapping[str, np.ndarray]) -> Merged:
        link = self._linked()
        mode = one_of("checkinModelOnTrainEnd", self.checkinModelOnTrainEnd, MODES)
        share = weight(self.nodeWeightage, 0, "nodeWeightage has to be a number from 0 to 100")
        self.logger.info("checking in: waiting for the merge")
        message = {
            "kind": kind,
            "step": self._steps,
            "epochs": self.epochsCompleted,
            "mode": mode,
            "weight": share,
        }
        return self._take(link, lambda: link.check_in(message, arrays))

    def _wait(self) -> Merged:
        link = self._linked()
        return self._take(link, link.next_merge)

    def _take(self, link: Link, merge: Any) -> Merged:
        """Load what is merged, try it, and tell the node; where anything fails, the node sees us hang up."""
        try:
            merged: Merged = merge()
            if merged.arrays:
                self._framework.load(merged.arrays)
                self._latest = merged.arrays
            loss, metrics = self._framework.evaluate()
            link.tell(
                {
                    "op": "loaded",
                    "round": merged.round,
                    # 0.1 s for 100 MB: of the last merge only
                    "checksum": checksum(self._framework.read()) if merged.over else None,
                    "loss": loss,
                    "metrics": metrics,
                }
            )
        except BaseException as error:
            link.close()
            if isinstance(error, SwarmError):
                self.logger.error(str(error))
            raise
        self._note(merged, loss, metrics)
        return merged

    def _note(self, merged: Merged, loss: float | None, metrics: Mapping[str, float]) -> None:
        """Set what follows from a merge, and log it."""
        self.currentSyncFrequency = merged.interval or self.currentSyncFrequency
        self.stepsBeforeNextSync = self.currentSyncFrequency
        self.isSwarmTrainingOver = merged.over
        scores = {} if loss is None else {"loss": loss}
        shown = "".join(f", {name} {value:.4g}" for name, value in {**scores, **metrics}.items())
        what = (
            "taken over, this node was behind" if merged.adopted else "merged" if merged.arrays else "empty"
        )
        self.logger.info("round %d: %s%s", merged.round, what, shown)
        if merged.over and not self._ended:
            self.logger.info("swarm training is over: what is trained from here on is not merged")
            self._framework.stop()

    def _tell_alone(self) -> None:
        """What the model is worth that was trained alone: a node that runs a baseline wants to know it."""
        if self._link is None:
            return
        loss, metrics = self._framework.evaluate()
        told = {"checksum": checksum(self._framework.read()), "loss": loss, "metrics": metrics}
        self._link.tell({"op": "loaded", "round": 0, **told})

    # -- small things -----------------------------------------------------------------------------------------

    def _linked(self) -> Link:
        if self._link is None:
            raise SwarmError("this SwarmCallback has no node")
        return self._link

    def _all_epochs(self) -> int:
        """How many epochs there will be: as given, or as Keras says."""
        said = (getattr(self, "params", None) or {}).get("epochs")
        return self.totalEpochs or (said if isinstance(said, int) else 0)

    def _say_ended(self) -> None:
        if self._ended:
            self.logger.warning("swarm training has ended before: this training stays on this node")
