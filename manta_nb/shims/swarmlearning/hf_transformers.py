"""Hugging Face Transformers: not here, and whoever imports it is told."""

from __future__ import annotations

raise ImportError(
    "manta_nb's swarmlearning has no hf_transformers: use swarmlearning.pyt, and call on_train_begin, on_batch_end, "
    "on_epoch_end and on_train_end from a TrainerCallback of your own"
)
