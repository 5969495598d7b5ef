"""Waiting for a condition, with a limit and an explanation."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(condition: Callable[[], T | None], what: str, timeout: float = 60, pause: float = 0.1) -> T:
    """The first true value of `condition`. An exception in it counts as false until the time is over."""
    deadline = time.monotonic() + timeout
    last: BaseException | None = None
    while True:
        try:
            value = condition()
            if value:
                return value
            last = None
        except Exception as error:  # noqa: BLE001: the program may still be starting
            last = error
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {timeout} s" + (f" ({last})" if last else "")) from last
        time.sleep(pause)
