"""The lab's bad path is as bad as it says: its losses, bursts, delays and limits, from a seed."""

from __future__ import annotations

from itertools import groupby

import pytest
from hearthlab.impairment import Air, Weather

FRAME = b"\0" * 12 + b"\x08\x00" + b"\0" * 1400
ARP = b"\0" * 12 + b"\x08\x06" + b"\0" * 28


def fates(weather: Weather, count: int = 20_000, step: float = 0.001) -> list[float | None]:
    """How long each of a row of frames is held; None: lost."""
    way = Air(weather, 0)
    held = [way.due(FRAME, 1000 + n * step) for n in range(count)]
    return [None if due is None else due - (1000 + n * step) for n, due in enumerate(held)]


def test_good_weather_changes_nothing() -> None:
    assert set(fates(Weather())) == {0}


def test_losses_are_a_share_and_come_alone() -> None:
    lost = [fate is None for fate in fates(Weather(loss=0.05))]
    assert sum(lost) / len(lost) == pytest.approx(0.05, abs=0.01)
    runs = [len(list(run)) for bad, run in groupby(lost) if bad]
    assert sum(runs) / len(runs) < 1.2


def test_bursts_have_the_same_share_and_their_length() -> None:
    lost = [fate is None for fate in fates(Weather(loss=0.2, burst=8), 60_000)]
    assert sum(lost) / len(lost) == pytest.approx(0.2, abs=0.03)
    runs = [len(list(run)) for bad, run in groupby(lost) if bad]
    assert sum(runs) / len(runs) == pytest.approx(8, rel=0.15)


def test_outage_takes_everything_but_lets_neighbours_find_each_other() -> None:
    assert set(fates(Weather(loss=1))) == {None}
    assert Air(Weather(loss=1), 0).due(ARP, 5) == 5


def test_delay_and_late_ones() -> None:
    held = [fate for fate in fates(Weather(delay_ms=25, late=0.05, late_ms=20)) if fate is not None]
    late = [fate for fate in held if fate > 0.0251]
    assert min(held) == pytest.approx(0.025, abs=1e-6)
    assert max(held) <= 0.0451
    assert len(late) / len(held) == pytest.approx(0.05, abs=0.01)


def test_narrow_path_carries_its_rate() -> None:
    carried = [fate for fate in fates(Weather(rate_bps=5_000_000)) if fate is not None]
    assert len(carried) * len(FRAME) * 8 / 20 == pytest.approx(5_000_000, rel=0.02)


def test_same_seed_is_the_same_weather_and_each_way_has_its_own() -> None:
    weather = Weather(loss=0.3, seed=5)
    assert fates(weather, 500) == fates(weather, 500)
    assert fates(weather, 500) != fates(Weather(loss=0.3, seed=6), 500)
    other = Air(weather, 1)
    assert [other.due(FRAME, n) is None for n in range(500)] != [Air(weather, 0).due(FRAME, n) is None for n in range(500)]
