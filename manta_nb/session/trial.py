"""`Trial`: one task, once, on one node, now — and what it read, added, logged and cost."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from manta_nb.engine.seeds import derive_seed
from manta_nb.errors import MantaError
from manta_nb.render import Card, Table
from manta_nb.runtime.runners.batch import seed_everything
from manta_nb.sdk.bytes import dict_to_bytes
from manta_nb.sdk.context import TaskContext, use_context
from manta_nb.sdk.describe import describe
from manta_nb.sdk.flow import TaskSpec
from manta_nb.sdk.importing import SourceImporter, entry_point
from manta_nb.sdk.module import Module
from manta_nb.sdk.swarm import FlowSwarm
from manta_nb.session.planning import blueprint
from manta_nb.session.run import Run
from manta_nb.session.views import View, size_text

if TYPE_CHECKING:
    from manta_nb.session.session import Session

__all__ = ["Trial", "try_on"]

_ = (contextlib, os, socket, sys, tempfile, Path, dict_to_bytes, Table)
