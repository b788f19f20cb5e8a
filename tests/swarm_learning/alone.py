"""A training script once for each folder, in one process: importing torch takes longer than it does.

`python alone.py SCRIPT SEED FOLDER SEED FOLDER …`: a folder has `data` and gets `model`; nothing is merged.
"""

from __future__ import annotations

import os
import runpy
import sys
from pathlib import Path

import torch

if __name__ == "__main__":
    script, *pairs = sys.argv[1:]
    os.environ["SWARM_LOOPBACK"] = "true"
    for seed, folder in zip(pairs[::2], pairs[1::2], strict=True):
        os.environ["DATA_DIR"], os.environ["MODEL_DIR"] = f"{folder}/data", f"{folder}/model"
        Path(folder, "model").mkdir()
        torch.manual_seed(int(seed))
        sys.argv = [script]
        runpy.run_path(script, run_name="__main__")
