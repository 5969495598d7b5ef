"""kill -9 in mid-stream; the supervisor starts the program again, and nobody has to do anything."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from hearthlab.channels import ONE, TWO, Channel
from hearthlab.comparison import compare
from hearthlab.player import Player
from hearthlab.waiting import until
from hearthlab.world import Away, World

WITHIN_S = 5.0
AFTERWARDS = 3_000_000  # octets that must be whole once the stream runs again


@pytest.fixture
def rendezvous_back(world: World) -> Iterator[None]:
    """A rendezvous that a test ended for good is there again for the next one."""
    yield
    if world.rendezvous.supervisor.stopped:
        world.rendezvous.supervisor.start()
    world.wait_for_rendezvous(world.box)


def gap_after(player: Player, killed_s: float) -> float:
    """Seconds from the kill until the stream ran again. What was on its way before the kill does not count as running:
    the last silence of over 100 ms that began within the limit ends the outage."""
    player.first_arrival_after(int((killed_s + WITHIN_S + 2) * 1e9), timeout=60)
    moments = [moment / 1e9 for _, moment in player.arrivals() if moment / 1e9 > killed_s - 0.5]
    outages = [after for before, after in zip(moments, moments[1:]) if after - before > 0.1 and after > killed_s]
    return max(outages, default=killed_s) - killed_s


def whole_at_the_end(world: World, channel: Channel, player: Player) -> None:
    """What comes from now on is octet for octet the provider's."""
    start = -(-player.octets() // 188) * 188
    player.wait_for_more(AFTERWARDS)
    result = compare(world.service.film(channel), player.data()[start:])
    assert result.bytes_equal, result


@pytest.mark.parametrize("channel", [ONE, TWO], ids=lambda channel: channel.name)
def test_box_killed_the_same_answer_goes_on(world: World, away: Away, channel: Channel) -> None:
    player = away.playing(channel)
    try:
        killed = world.box.supervisor.kill()
        assert gap_after(player, killed) <= WITHIN_S
        assert not player.ended.is_set()
        whole_at_the_end(world, channel, player)
        result = compare(world.service.film(channel), player.data())
        assert result.strange == 0, result
    finally:
        player.close()


def test_away_killed_a_new_get_plays_without_pairing(world: World, away: Away) -> None:
    player = away.playing(ONE)
    starts = away.program.supervisor.starts
    away.program.supervisor.kill()
    assert player.ended.wait(10)
    player.close()
    away.program.supervisor.wait_for_starts(starts + 1)
    restarted = time.monotonic()
    again = first_that_plays(away, ONE)
    try:
        assert again.arrivals()[0][1] / 1e9 - restarted <= WITHIN_S
        whole_at_the_end(world, ONE, again)
    finally:
        again.close()
    assert len(world.box.ask("devices")["devices"]) == 1


def first_that_plays(away: Away, channel: Channel) -> Player:
    """What an impatient viewer does: asks again until it plays."""

    def attempt() -> Player | None:
        paths = away.playlist()
        player = Player(away.space, "127.0.0.1", away.port, paths[channel.name])
        if player.wait_for_head(20) == 200:
            player.wait_for_octets(1, 20)
            return player
        player.close()
        return None

    return until(attempt, f"{channel.name} to play", 60, pause=0.05)


def test_rendezvous_killed_not_one_packet_is_lost(
    world: World, away: Away, rendezvous_back: None
) -> None:
    player = away.playing(ONE)
    try:
        starts = world.rendezvous.supervisor.starts
        world.rendezvous.supervisor.kill()
        world.rendezvous.supervisor.wait_for_starts(starts + 1)
        player.wait_for_more(6_000_000)
        result = compare(world.service.film(ONE), player.data())
        assert result.bytes_equal, result
        assert result.continuity_errors == 0
    finally:
        player.close()


@pytest.mark.parametrize("restarted", ["away", "box", "both"])
def test_reconnects_while_the_rendezvous_is_dead(
    world: World, away: Away, rendezvous_back: None, restarted: str
) -> None:
    away.playing(TWO).close()
    world.rendezvous.supervisor.stop()
    programs = {"away": [away.program], "box": [world.box], "both": [world.box, away.program]}[restarted]
    starts = [program.supervisor.starts for program in programs]
    for program in programs:
        program.supervisor.kill()
    for program, count in zip(programs, starts):
        program.supervisor.wait_for_starts(count + 1)
    player = first_that_plays(away, TWO)
    try:
        whole_at_the_end(world, TWO, player)
    finally:
        player.close()
    assert away.playlist().keys() >= {ONE.name, TWO.name}
