"""Ten streams, two of them relayed, while the rendezvous is dead for ten minutes and the box restarts in the middle."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hearthlab import without_rendezvous
from hearthlab.fixtures import raised
from hearthlab.world import World

SECONDS = float(os.environ.get("HEARTHCAST_GONE_SECONDS", "600"))


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with raised(relay=True) as lab:
        yield lab


def test_ten_streams_outlive_it(world: World) -> None:
    without_rendezvous.run(world, without_rendezvous.viewers(world, direct=8, relayed=2), SECONDS)
