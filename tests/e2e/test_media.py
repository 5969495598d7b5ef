"""What the provider sent is what the player away gets: octet for octet, in order, for every kind of channel."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import pytest
from hearthlab import snapshot
from hearthlab import transport_stream as ts
from hearthlab.channels import ALL, FOUR, ONE, TWO, Channel
from hearthlab.comparison import compare
from hearthlab.film import DATAGRAM
from hearthlab.measure import delay
from hearthlab.player import Player
from hearthlab.world import Away, World

WANTED = 5000 * DATAGRAM


def received(player: Player, octets: int = WANTED) -> bytes:
    player.wait_for_more(octets)
    return player.data()


@pytest.mark.parametrize("channel", ALL, ids=lambda channel: channel.name)
def test_octets_are_the_providers(world: World, away: Away, channel: Channel) -> None:
    player = away.playing(channel)
    data = received(player)
    arrivals = player.arrivals()
    player.close()
    result = compare(world.service.film(channel), data)
    assert result.bytes_equal, result
    assert result.continuity_errors == 0
    assert player.headers["content-type"] == "video/mp2t"
    late = delay(result, arrivals, world.service.sent_ns(channel))
    assert 0 < late.p50 < 1_000_000


def test_picture_and_sound_are_the_providers(world: World, away: Away, tmp_path: Path) -> None:
    player = away.playing(ONE)
    data = received(player, 3_000_000)
    player.close()
    (tmp_path / "got.ts").write_bytes(data)
    probed = subprocess.run(
        ["ffprobe", "-v", "error", "-show_streams", "-show_programs", "-of", "json", str(tmp_path / "got.ts")],
        capture_output=True, text=True, check=True, timeout=60,
    )
    facts = json.loads(probed.stdout)
    codecs = {stream["codec_type"]: stream["codec_name"] for stream in facts["streams"]}
    assert codecs == {"video": "h264", "audio": "aac"}
    assert facts["programs"][0]["tags"]["service_name"] == ONE.name
    shot = snapshot.take(world.service.film(ONE), data)
    assert shot.number is not None
    assert shot.is_the_providers


def test_player_begins_with_tables_and_an_entry_picture(world: World, away: Away) -> None:
    first = away.playing(TWO)
    late = away.playing(TWO)
    data = received(late, 500_000)
    first.close()
    late.close()
    packets = ts.packets_of(data)
    assert ts.pids(packets)[0] == 0, "the stream does not begin with the programme association table"
    assert ts.programme_of(packets[:100]) is not None


def test_two_players_cost_one_tunnel_copy(world: World, away: Away) -> None:
    one = away.playing(FOUR)
    two = away.playing(FOUR)
    try:
        before = _tunnel_octets(world)
        start = time.monotonic()
        marks = [player.octets() for player in (one, two)]
        one.wait_for_more(3_000_000)
        two.wait_for_more(2_000_000)
        carried = _tunnel_octets(world) - before
        seconds = time.monotonic() - start
        played = [player.octets() - mark for player, mark in zip((one, two), marks)]
        viewers = [viewer for viewer in world.box.ask("devices")["devices"] if viewer["connected"]]
        assert len(viewers) == 1
        # One copy with all headers is about 1.1 times what one player got; two would be over twice.
        assert carried < 1.5 * max(played), f"{carried} octets in the tunnel for {played} in {seconds:.1f} s"
        for player in (one, two):
            assert compare(world.service.film(FOUR), player.data()).bytes_equal
    finally:
        one.close()
        two.close()


def _tunnel_octets(world: World) -> int:
    """What the laptop's interface has received so far."""
    listing = world.topology["laptop"].run("ip", "-j", "-s", "link", "show", "dev", "eth0")
    return int(json.loads(listing)[0]["stats64"]["rx"]["bytes"])


def test_player_that_stops_reading_is_dropped_alone(world: World, away: Away) -> None:
    healthy = away.playing(TWO)
    stalled = away.play(TWO, stalled=True)
    try:
        assert stalled.wait_for_head() == 200
        assert stalled.closed_by_peer(timeout=60), "the client still waits for a player that reads nothing"
        healthy.wait_for_more(2_000_000)
        assert compare(world.service.film(TWO), healthy.data()).bytes_equal
    finally:
        stalled.close()
        healthy.close()


def test_group_leaves_the_home_lan_after_the_last_player(world: World, away: Away) -> None:
    player = away.playing(ONE)
    assert world.observer.packets(ONE) > 0
    player.close()
    time.sleep(5)
    after = world.observer.packets(ONE)
    sent = len(world.service.sent_ns(ONE))
    while len(world.service.sent_ns(ONE)) < sent + 500:
        time.sleep(0.05)
    assert world.observer.packets(ONE) == after
