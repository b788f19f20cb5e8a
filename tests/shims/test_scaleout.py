"""FEDn's helpers under the names they have since 2025."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from manta_nb import shims


@pytest.mark.parametrize("name", ["scaleout.utils.helpers.helpers", "scaleoututil.helpers.helpers"])
def test_they_are_those_of_fedn(name: str) -> None:
    """A program that imports them by either name gets the very functions of `fedn`."""
    program = (
        f"from {name} import get_helper, load_metadata, save_metadata, save_metrics\n"
        "import fedn.utils.helpers.helpers as h\n"
        "assert (get_helper, save_metrics) == (h.get_helper, h.save_metrics)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=shims.environment(os.environ),
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
