"""The end-to-end tests take their world from the lab."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lab"))

from hearthlab.fixtures import away, pytest_runtest_makereport, world  # noqa: E402

__all__ = ["away", "pytest_runtest_makereport", "world"]
