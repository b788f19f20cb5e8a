"""The seed's listing is kept as it is printed."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "tests" / "fixtures" / "seed_fedn" / "client"
SEEDS = sorted((ROOT.parent / "shared" / "seeds").glob("003_*.txt"))


@pytest.mark.skipif(not SEEDS, reason="the seeds are not here")
@pytest.mark.parametrize("name", ["entrypoint.py", "fedn.yaml"])
def test_the_seed_is_kept_byte_for_byte(name: str) -> None:
    """What the tests run is what the tutorial prints."""
    assert (KEPT / name).read_bytes().rstrip(b"\n") in SEEDS[0].read_bytes()
