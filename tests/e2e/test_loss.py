"""A picture that stays whole on a bad path: real video through a relay that loses, delays, reorders, breaks off and narrows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hearthlab.channels import ONE, TWO, Channel
from hearthlab.comparison import Comparison, compare
from hearthlab.impairment import Impairment, Weather
from hearthlab.player import Player
from hearthlab.waiting import until
from hearthlab.world import Away, World

MEGABYTE = 1_000_000  # a second of a channel
STALL_MS = 50


@pytest.fixture(scope="module")
def path(world: World, away: Away) -> Iterator[Impairment]:
    relay = Impairment(world.topology, world.folder / "weather.json", Weather())
    until(lambda: away.program.ask("status")["state"] == "connected", "the client to find its box", 60)
    yield relay
    relay.stop()


def once_undisturbed(world: World, away: Away, path: Impairment, attempt: Callable[[int], None]) -> None:
    """A machine that stops everything for longer than the play-out buffer adds an outage of its own: then once more."""
    for seed in range(1, 6):
        try:
            at_rest(world, away)
            attempt(seed)
            return
        except AssertionError as failure:
            print(f"the machine stopped for {path.stalled_ms()} ms: {failure}")
            if path.stalled_ms() < STALL_MS:
                raise
    pytest.fail("the machine stops for too long, again and again")


def at_rest(world: World, away: Away) -> None:
    """The box has stopped the channel, so that the next player does not begin with what is left of it on the way."""
    until(lambda: not away.program.ask("status")["streams"], "the client to close the channel", 30)
    until(lambda: not world.box.ask("viewers")["viewers"], "the box to stop the channel", 30)


def stream(away: Away) -> dict[str, Any]:
    """The figures of the channel that plays."""
    return until(
        lambda: next((s for s in away.program.ask("status")["streams"] if s["players"] > 0), None),
        "the channel's figures",
        30,
    )


def watched(world: World) -> dict[str, Any]:
    """The box's figures of the device that watches."""
    return until(lambda: next(iter(world.box.ask("viewers")["viewers"]), None), "the box's figures", 30)


def whole(world: World, channel: Channel, data: bytes) -> Comparison:
    result = compare(world.service.film(channel), data)
    assert result.bytes_equal, result
    assert result.continuity_errors == 0
    return result


def test_good_path_holds_nothing_back(world: World, away: Away, path: Impairment) -> None:
    path.change(Weather(delay_ms=25))
    player = away.playing(ONE)
    player.wait_for_more(3 * MEGABYTE)
    figures = until(lambda: (lambda s: s if s["packets"] > 2000 else None)(stream(away)), "two seconds of figures", 30)
    player.close()
    whole(world, ONE, player.data())
    assert figures["nacks"] == figures["repaired"] == figures["lost"] == 0, figures
    assert figures["delay_ms"] >= 150


def test_five_percent_each_way_leaves_the_octets_equal(world: World, away: Away, path: Impairment) -> None:
    """35 seconds of 8 Mbit/s at 50 ms round trip; ten minutes are tests/endurance/test_loss.py's."""

    def attempt(seed: int) -> None:
        path.change(Weather(loss=0.05, delay_ms=25, seed=seed))
        player = away.playing(ONE)
        player.wait_for_more(35 * MEGABYTE, 180)
        figures, at_box = stream(away), watched(world)
        player.close()
        print(figures, at_box)
        whole(world, ONE, player.data())
        assert figures["lost"] == figures["continuity_errors"] == 0, figures
        assert figures["repaired"] > 500, figures
        assert 150 <= figures["delay_ms"] <= 1000, figures
        assert at_box["sent_again"] >= figures["repaired"], at_box
        assert at_box["sent_again"] <= 0.08 * at_box["packets"], at_box

    once_undisturbed(world, away, path, attempt)


def test_bursts_are_repaired_or_pass(world: World, away: Away, path: Impairment) -> None:
    def attempt(seed: int) -> None:
        path.change(Weather(delay_ms=25))
        player = away.playing(TWO)
        path.change(Weather(loss=0.2, burst=8, delay_ms=25, seed=seed))
        player.wait_for_more(5 * MEGABYTE)
        figures = stream(away)
        print(figures, watched(world))
        good_again = recovers(world, away, path, player, TWO)
        assert figures["repaired"] > 100, figures
        # The picture is damaged at most, not gone: of what bursts took, hardly anything stayed away.
        result = compare(world.service.film(TWO), player.data()[:good_again])
        assert result.strange == 0, result
        assert result.lost <= 0.05 * result.received, result

    once_undisturbed(world, away, path, attempt)


def test_short_outage_leaves_the_octets_equal(world: World, away: Away, path: Impairment) -> None:
    def attempt(_: int) -> None:
        path.change(Weather(delay_ms=10))
        player = away.playing(TWO)
        player.wait_for_more(4 * MEGABYTE)
        path.change(Weather(loss=1, delay_ms=10))
        time.sleep(0.3)
        path.change(Weather(delay_ms=10))
        player.wait_for_more(4 * MEGABYTE)
        print(stream(away), watched(world))
        player.close()
        whole(world, TWO, player.data())

    once_undisturbed(world, away, path, attempt)


def test_outage_of_two_seconds_costs_one_gap(world: World, away: Away, path: Impairment) -> None:
    path.change(Weather(delay_ms=25))
    player = away.playing(ONE)
    player.wait_for_more(2 * MEGABYTE)
    path.change(Weather(loss=1, delay_ms=25))
    time.sleep(2)
    good_again = recovers(world, away, path, player, ONE)
    result = compare(world.service.film(ONE), player.data()[:good_again])
    assert result.strange == 0, result
    assert result.received > 0


def test_reordering_is_absorbed(world: World, away: Away, path: Impairment) -> None:
    def attempt(seed: int) -> None:
        path.change(Weather(delay_ms=25, late=0.05, late_ms=20, seed=seed))
        player = away.playing(TWO)
        player.wait_for_more(8 * MEGABYTE)
        figures, at_box = stream(away), watched(world)
        player.close()
        print(figures, at_box)
        whole(world, TWO, player.data())
        assert figures["reordered"] > 100, figures
        assert figures["lost"] == 0, figures
        assert at_box["sent_again"] <= 0.03 * at_box["packets"], at_box

    once_undisturbed(world, away, path, attempt)


def recovers(world: World, away: Away, path: Impairment, player: Player, channel: Channel) -> int:
    """Good weather again: by itself the stream becomes whole. Returns how many octets had come before that."""
    path.change(Weather(delay_ms=25))
    before = stream(away)["packets"]
    until(lambda: stream(away)["packets"] > before + 2000, "the stream to flow again", 60)
    start = len(player.data())
    player.wait_for_more(4 * MEGABYTE)
    player.close()
    data = player.data()[start - start % 188 :]
    whole(world, channel, data)
    return start - start % 188


def test_path_that_is_too_narrow_is_told_in_words(world: World, away: Away, path: Impairment) -> None:
    path.change(Weather(delay_ms=10))
    player = away.playing(ONE)
    path.change(Weather(delay_ms=10, rate_bps=5_000_000))
    assert player.ended.wait(90), "the player still watches mud"
    player.close()
    answer = away.get(away.path_of(ONE))
    assert answer.status == 503
    assert "would fit" in answer.text
    assert any("would fit" in item["text"] for item in away.program.ask("status")["narrow"])
    assert "would fit" in away.program.call("status")
    path.change(Weather())
    until(lambda: _plays(away), "the channel on a good path again", 120)


def _plays(away: Away) -> bool:
    player = away.play(ONE)
    try:
        if player.wait_for_head() != 200:
            return False
        player.wait_for_octets(500_000, 60)
        return True
    finally:
        player.close()
