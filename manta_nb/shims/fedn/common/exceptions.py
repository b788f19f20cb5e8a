"""FEDn's exceptions."""

from __future__ import annotations

__all__ = ["InvalidClientConfig", "InvalidParameterError", "ModelError"]


class ModelError(Exception):
    """A model cannot be used."""


class InvalidClientConfig(Exception):
    """The configuration of a client is not valid."""


class InvalidParameterError(Exception):
    """A parameter is unknown or of another type."""
