"""The parameters of this family: camelCase, three of them also by position; what nobody knows is ignored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from manta_nb.shims.swarm._callback import CallbackBase
    from manta_nb.shims.swarm._errors import SwarmError
    from manta_nb.shims.swarm._platforms import framework_of, keras_kind
    from manta_nb.shims.swarm._settings import (
        MERGE_METHODS,
        MODES,
        Settings,
        adaptive,
        one_of,
        positive,
        size,
        weight,
    )
else:
    from ._callback import CallbackBase
    from ._errors import SwarmError
    from ._platforms import framework_of, keras_kind
    from ._settings import MERGE_METHODS, MODES, Settings, adaptive, one_of, positive, size, weight

__all__ = ["CONTRACT", "FamilyCallback", "SwarmError", "keras_kind"]

#: what separates several swarms of one network from each other; here each run is its own
CONTRACT = "defaultbb.cqdb.sml.hpe"


class FamilyCallback(CallbackBase):
    """What the callbacks of both modules share: the parameters and their checks."""

    #: the one framework of the module
    _platform = ""
    _no_model = ""

    def __init__(
        self,
        syncFrequency: Any,  # noqa: N803 - HPE's names
        minPeers: Any,  # noqa: N803
        trainingContract: Any = CONTRACT,  # noqa: N803
        **kwargs: Any,
    ) -> None:
        super().__init__(kwargs.get("logger"))
        try:
            settings = self._checked(syncFrequency, minPeers, kwargs)
            self.trainingContract = _contract(trainingContract)
            self._demand_platform(kwargs.get("ml_platform", self._platform))
            self._demand_data(kwargs.get("adsValData"))
            self._start(settings, framework_of(self, kwargs.get("model"), settings, self._no_model))
        except SwarmError as error:
            self.logger.error(str(error))
            raise

    def _checked(self, sync_frequency: Any, min_peers: Any, given: Mapping[str, Any]) -> Settings:
        data = given.get("adsValData")
        return Settings(
            family="swarmlearning",
            sync_interval=positive("syncFrequency", sync_frequency),
            min_peers=positive("minPeers", min_peers),
            adaptive=adaptive(given.get("useAdaptiveSync"), data, "useAdaptiveSync needs adsValData"),
            val_data=data,
            val_batch_size=size(given.get("adsValBatchSize")),
            mode=one_of("checkinModelOnTrainEnd", given.get("checkinModelOnTrainEnd", "snapshot"), MODES),
            weight=weight(
                given.get("nodeWeightage", 1), 1, "Node weightage should be a number between 1-100"
            ),
            merge_method=one_of("mergeMethod", _lower(given.get("mergeMethod", "mean")), MERGE_METHODS),
            total_epochs=self._epochs(given.get("totalEpochs")),
            loss=_name("lossFunction", given.get("lossFunction")),
            loss_args=given.get("lossFunctionArgs") or {},
            metric=_name("metricFunction", given.get("metricFunction")),
            metric_args=given.get("metricFunctionArgs") or {},
        )

    def _epochs(self, total: Any) -> int:
        if total is None:
            self.logger.warning("no totalEpochs: how far the training is cannot be shown")
            return 0
        return positive("totalEpochs", total)

    def _demand_platform(self, platform: Any) -> None:
        if platform != self._platform:
            raise SwarmError(
                f"Invalid ml platform type: {str(platform)[:40]}; this SwarmCallback is for {self._platform}"
            )

    def _demand_data(self, data: Any) -> None:
        """Demand validation data of the module's form; any, where it does not care."""


def _contract(contract: Any) -> str:
    if contract is None:
        raise SwarmError("Invalid Training Contract")
    return str(contract)


def _lower(method: Any) -> Any:
    return method.lower() if isinstance(method, str) else method


def _name(parameter: str, value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise SwarmError(f"{parameter} is the name of a class, a text, got {type(value).__name__[:40]}")
    return value
