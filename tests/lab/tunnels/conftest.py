"""What the tests of unsealed tunnels share: one world with every kind of foreign peer in the box's settings."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))

from hearthlab.namespace import prefix  # noqa: E402
from tunlab.linux_kernel import DoesNotRun  # noqa: E402
from tunlab.target import ATTACKED, Target  # noqa: E402
from tunlab.world import PeerWorld  # noqa: E402

World = TypeVar("World", bound=PeerWorld)
_raised: list[PeerWorld] = []


@contextlib.contextmanager
def raised(world: World) -> Iterator[World]:
    """What the box of a world logged is printed when anything fails. At the end the world is taken down. Tests of a kernel that
    cannot run here are skipped."""
    _raised.append(world)
    try:
        try:
            world.up()
        except DoesNotRun as why:
            pytest.skip(str(why))
        yield world
    except BaseException:
        print(world.log())
        raise
    finally:
        _raised.remove(world)
        world.down()


@pytest.fixture(scope="session")
def peers() -> Iterator[PeerWorld]:
    with raised(PeerWorld(prefix("hct-") + "t")) as world:
        yield world


@pytest.fixture
def peers_of_none() -> Iterator[PeerWorld]:
    """A box whose settings name no peer."""
    with raised(PeerWorld(prefix("hct-") + "n", plans=[])) as world:
        yield world


@pytest.fixture(params=ATTACKED, ids=[plan.name for plan in ATTACKED])
def target(peers: PeerWorld, request: pytest.FixtureRequest) -> Iterator[Target]:
    made = Target(peers, request.param)
    try:
        yield made
    finally:
        made.close()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """A failed test shows what the box logged."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if report.failed:
        report.sections += [("box", world.log()) for world in _raised]
