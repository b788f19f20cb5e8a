"""Calls a `ClientApp` of Flower as the entry points of a compute package do: arrays in, arrays out.

Flower is imported when an adapter is made, and not before.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any

__all__ = ["FlwrClientAppAdapter"]


class FlwrClientAppAdapter:
    """A `ClientApp` without Flower's network.

    Args:
        app: the `ClientApp` of the package.

    Raises:
        ModuleNotFoundError: Flower is not installed here.
    """

    def __init__(self, app: Any) -> None:
        self.app = app
        self._common = import_module("flwr.common")
        # where it was until Flower 1.14, from 1.15 on, and is today
        self._compat = _first(
            "flwr.common.recordset_compat",
            "flwr.common.recorddict_compat",
            "flwr.compat.common.recorddict_compat",
        )

    def init_parameters(self, partition_id: int, config: Mapping[str, Any] | None = None) -> list[Any]:
        """The arrays that `get_parameters` of the client returns; ValueError where there are none."""
        asked = self._common.GetParametersIns(config=dict(config or {}))
        answer = self._ask("get_parameters", self._packed("getparametersins", asked), partition_id)
        result = self._result("getparametersres", answer, keep_input=False)
        arrays = self._common.parameters_to_ndarrays(result.parameters)
        if not arrays:
            raise ValueError("get_parameters of the Flower client returned no arrays: write it")
        return list(arrays)

    def train(
        self, parameters: list[Any], partition_id: int, config: Mapping[str, Any] | None = None
    ) -> tuple[list[Any], int]:
        """The arrays after `fit` of the client, and its number of examples."""
        packed = self._common.ndarrays_to_parameters(list(parameters))
        asked = self._common.FitIns(parameters=packed, config=dict(config or {}))
        answer = self._ask("train", self._packed("fitins", asked, keep_input=False), partition_id)
        result = self._result("fitres", answer, keep_input=False)
        return list(self._common.parameters_to_ndarrays(result.parameters)), result.num_examples

    def evaluate(
        self, parameters: list[Any], partition_id: int, config: Mapping[str, Any] | None = None
    ) -> tuple[float, float]:
        """Loss, and the metric "accuracy" (-1 without one), of `evaluate` of the client."""
        packed = self._common.ndarrays_to_parameters(list(parameters))
        asked = self._common.EvaluateIns(parameters=packed, config=dict(config or {}))
        answer = self._ask("evaluate", self._packed("evaluateins", asked, keep_input=False), partition_id)
        result = self._result("evaluateres", answer)
        return result.loss, result.metrics.get("accuracy", -1)

    def _packed(self, name: str, *values: Any, **options: Any) -> Any:
        return self._function(f"{name}_to_")(*values, **options)

    def _result(self, name: str, content: Any, **options: Any) -> Any:
        return self._function(f"_to_{name}")(content, **options)

    def _function(self, part: str) -> Callable[..., Any]:
        """Flower's function whose name has this part: the records were called otherwise until 1.14."""
        names = [name for name in vars(self._compat) if part in name and name.startswith(("record", part))]
        found: Callable[..., Any] = getattr(self._compat, names[0])
        return found

    def _ask(self, kind: str, content: Any, partition_id: int) -> Any:
        """What the app answers to a message of this kind."""
        metadata = _made(
            self._common.Metadata,
            message_type=kind,
            partition_id=partition_id,
            ttl=3600.0,
            created_at=time.time(),
        )
        message = self._common.Message(metadata=metadata, content=content)
        context = _made(
            self._common.Context, state=type(content)(), node_config={"partition-id": partition_id}
        )
        return self.app(message, context).content


def _first(*names: str) -> ModuleType:
    """The first of these modules that is there."""
    for name in names[:-1]:
        try:
            return import_module(name)
        except ModuleNotFoundError as error:
            if not name.startswith(error.name or " "):
                raise
    return import_module(names[-1])


def _made(kind: Callable[..., Any], **values: Any) -> Any:
    """An object of Flower's, whose arguments differ from release to release: what it does not know is left out."""
    empty = {"int": 0, "str": "", "float": 0.0}
    wanted = inspect.signature(kind).parameters
    given = {
        name: values.get(name, empty.get(str(getattr(each.annotation, "__name__", each.annotation)), {}))
        for name, each in wanted.items()
        if name in values or each.default is inspect.Parameter.empty
    }
    return kind(**given)
