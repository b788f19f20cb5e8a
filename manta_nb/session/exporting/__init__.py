"""A run as files: its metrics, its Globals, and a report that a person can read and send on.

* `export` writes any of them; the suffix says which;
* `tables`: metrics as `.csv` and `.parquet`; `arrays`: Globals as `.npz` and `.safetensors`;
* `report`: all of a run as one `.html`, which needs neither a network nor a script.
"""

from __future__ import annotations

from manta_nb.session.exporting.writing import KINDS, Exported, Written, export, export_as

__all__ = ["KINDS", "Exported", "Written", "export", "export_as"]
