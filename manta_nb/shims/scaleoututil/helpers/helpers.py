"""See `fedn.utils.helpers.helpers`."""

from fedn.utils.helpers.helpers import (
    get_helper,
    load_metadata,
    save_metadata,
    save_metrics,
)

__all__ = ["get_helper", "load_metadata", "save_metadata", "save_metrics"]
