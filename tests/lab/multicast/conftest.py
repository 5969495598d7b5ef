"""What the multicast tests share: a fresh world for each, since hosts and bridges remember what an earlier test said."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))

from mclab.topology import Edge  # noqa: E402
from mclab.world import MulticastWorld  # noqa: E402

_raised: list[MulticastWorld] = []


@pytest.fixture
def raised() -> Iterator[Callable[[Edge], MulticastWorld]]:
    """Raises a world with the edge that the test asks for."""

    def raise_world(edge: Edge) -> MulticastWorld:
        world = MulticastWorld(edge)
        _raised.append(world)
        world.up()
        return world

    try:
        yield raise_world
    finally:
        while _raised:
            _raised.pop().down()


@pytest.fixture
def world(raised: Callable[[Edge], MulticastWorld]) -> MulticastWorld:
    """The usual one: the provider's edge snoops and asks."""
    return raised(Edge.SNOOPING)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """A failed test shows what the programs logged."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if report.failed:
        for world in _raised:
            report.sections += [(name, text()) for name, text in world.logs.items()]
