"""Models as the lists of arrays that Keras gives: the numpyhelper, by its name of FEDn 0.7 and before."""

from __future__ import annotations

from . import numpyhelper

__all__ = ["Helper"]


class Helper(numpyhelper.Helper):
    """See the numpyhelper."""

    def __init__(self) -> None:
        super().__init__()
        self.name = "kerashelper"
