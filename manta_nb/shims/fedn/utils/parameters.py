"""Parameters whose names and types are checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..common.exceptions import InvalidParameterError

__all__ = ["Parameters"]


class Parameters(dict[str, Any]):
    """A dict that can be compared with a schema.

    Example:
        >>> Parameters({"n_iter": 10}).validate({"n_iter": int})
        True
    """

    def __init__(self, parameters: Mapping[str, Any] | None = None) -> None:
        super().__init__(parameters or {})

    def validate(self, parameter_schema: Mapping[str, type]) -> bool:
        """True; InvalidParameterError where a name is not in the schema or a value of another type."""
        for key, value in self.items():
            if key not in parameter_schema:
                raise InvalidParameterError(f"Parameter {key} is not one of {', '.join(parameter_schema)}")
            if not isinstance(value, parameter_schema[key]):
                wanted = parameter_schema[key].__name__
                raise InvalidParameterError(f"Parameter {key} must be {wanted}, got {type(value).__name__}")
        return True
