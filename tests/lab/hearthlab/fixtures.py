"""What the tests of the whole world share: one world a module, with a laptop away that is paired and approved."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from .namespace import prefix
from .world import Away, World

_raised: list[World] = []


@contextmanager
def raised(**options: Any) -> Iterator[World]:
    """A world that is up, and whose programs' logs a failure shows."""
    lab = World(prefix("hce-"), **options)
    _raised.append(lab)
    try:
        lab.up()
        if lab.failed_raisings:
            warnings.warn(f"the lab was raised {len(lab.failed_raisings) + 1} times: its edge passed nothing", stacklevel=1)
        yield lab
    except BaseException:
        print(lab.logs())
        raise
    finally:
        _raised.remove(lab)
        lab.down()


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """Provider, rendezvous and box are running; the box has the provider's channels."""
    with raised() as lab:
        yield lab


@pytest.fixture(scope="module")
def away(world: World) -> Away:
    """A laptop behind the away NAT, paired by the link and approved for every channel."""
    laptop = world.new_away("away")
    world.approve(world.pair(laptop))
    return laptop


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """A failed test shows what the programs logged."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if report.failed and _raised:
        report.sections.append(("programs", _raised[-1].logs()))
