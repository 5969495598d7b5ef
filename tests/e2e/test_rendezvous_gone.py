"""The rendezvous is dead for a while: streams go on, the relayed one, too, and even a box that restarts is found again.

The long form, ten minutes with ten streams, is tests/endurance/test_rendezvous_gone.py.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hearthlab import without_rendezvous
from hearthlab.fixtures import raised
from hearthlab.world import World

SECONDS = 30


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with raised(relay=True) as lab:
        yield lab


def test_streams_outlive_it(world: World) -> None:
    without_rendezvous.run(world, without_rendezvous.viewers(world, direct=2, relayed=1), SECONDS)
