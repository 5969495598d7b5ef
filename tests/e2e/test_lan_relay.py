"""Players at home open the box's LAN link: the provider's octets, one join however many, refusals in words, cut at once."""

from __future__ import annotations

import json
import subprocess
import time

import pytest
from hearthlab import transport_stream as ts
from hearthlab.channels import ALL, FOUR, ONE, THREE, TWO, Channel
from hearthlab.comparison import compare
from hearthlab.film import DATAGRAM
from hearthlab.lan import LAN_PORT, LanLink, sockets_of
from hearthlab.player import ConnectionLost, Player
from hearthlab.topology import BOX_IP4
from hearthlab.waiting import until
from hearthlab.world import Away, World

WANTED = 5000 * DATAGRAM


def new_link(world: World) -> LanLink:
    """Of the only device, which may watch everything."""
    device = int(world.box.ask("devices")["devices"][0]["id"])
    world.approve(device)
    return LanLink(world, device)


@pytest.fixture
def link(world: World, away: Away) -> LanLink:
    assert away.program
    return new_link(world)


@pytest.fixture(scope="module")
def players(world: World, away: Away) -> dict[str, Player]:
    """One on each channel, by its name; all played at the same time, and have ended."""
    assert away.program
    link = new_link(world)
    playing = {channel.name: link.playing(channel) for channel in ALL}
    wait_for_wanted(*playing.values())
    for player in playing.values():
        player.close()
    return playing


def wait_for_wanted(*players: Player) -> None:
    """Until each has got so much more, at the same time."""
    for player, octets in [(player, player.octets() + WANTED) for player in players]:
        player.wait_for_octets(octets)


def is_quiet(world: World, channel: Channel) -> bool:
    before = world.observer.packets(channel)
    time.sleep(1.5)
    return world.observer.packets(channel) == before


@pytest.mark.parametrize("channel", ALL, ids=lambda channel: channel.name)
def test_octets_are_the_providers(world: World, players: dict[str, Player], channel: Channel) -> None:
    player = players[channel.name]
    result = compare(world.service.film(channel), player.data())
    assert result.bytes_equal, result
    assert result.continuity_errors == 0
    assert player.headers["content-type"] == "video/mp2t"
    assert player.headers["connection"] == "close"
    assert "content-length" not in player.headers


def test_four_players_cost_one_socket(world: World, link: LanLink) -> None:
    players: list[Player] = []
    try:
        players = [link.playing(TWO) for _ in range(4)]
        assert sockets_of(world, TWO) == 1
        wait_for_wanted(*players)
        for player in players:
            assert compare(world.service.film(TWO), player.data()).bytes_equal
        viewers = world.box.ask("viewers")["viewers"]
        assert [(viewer["via"], viewer["players"], viewer["path"]) for viewer in viewers] == [("lan_link", 4, "lan")]
    finally:
        for player in players:
            player.close()
    until(lambda: sockets_of(world, TWO) == 0, "the box's leave", 20)
    time.sleep(3)  # until the edge has closed
    assert is_quiet(world, TWO)


def test_tunnel_and_players_share_a_channel(world: World, away: Away, link: LanLink) -> None:
    outside = away.playing(FOUR)
    inside = link.playing(FOUR)
    try:
        assert sockets_of(world, FOUR) == 1
        wait_for_wanted(outside, inside)
        for player in (outside, inside):
            assert compare(world.service.film(FOUR), player.data()).bytes_equal
        ways = sorted(viewer["via"] for viewer in world.box.ask("viewers")["viewers"])
        assert ways == ["lan_link", "tunnel"]
        outside.close()
        wait_for_wanted(inside)
        assert compare(world.service.film(FOUR), inside.data()).bytes_equal
    finally:
        outside.close()
        inside.close()


def test_late_player_begins_with_tables_and_an_entry_picture(world: World, link: LanLink) -> None:
    first = link.playing(TWO, 2_000_000)
    late = link.playing(TWO, 500_000)
    packets = ts.packets_of(late.data())
    first.close()
    late.close()
    assert ts.pids(packets)[0] == 0, "the stream does not begin with the programme association table"
    assert ts.programme_of(packets[:100]) is not None
    assert compare(world.service.film(TWO), late.data()).bytes_equal


def test_curl_and_ffprobe_understand_it(world: World, link: LanLink) -> None:
    fetched = subprocess.run(
        link.space.command("curl", "-sS", "-g", "--max-time", "6", link.url_of(THREE)), capture_output=True, check=False, timeout=60
    )
    assert fetched.returncode == 28, fetched.stderr  # its own time ran out, as it was told
    result = compare(world.service.film(THREE), fetched.stdout)
    assert result.bytes_equal, result
    assert result.received > 2000, "RTP headers are taken off, and it flows"
    probed = link.space.run(
        "ffprobe", "-v", "error", "-show_streams", "-show_programs", "-of", "json", link.url_of(ONE), timeout=120
    )
    facts = json.loads(probed)
    assert {stream["codec_name"] for stream in facts["streams"]} == {"h264", "aac"}
    assert facts["programs"][0]["tags"]["service_name"] == ONE.name


def test_playlist_leads_to_the_channels(world: World, link: LanLink) -> None:
    addresses = link.playlist()
    assert set(addresses) == {channel.name for channel in ALL}
    assert addresses[ONE.name] == link.url_of(ONE)
    assert addresses[TWO.name] == link.url_of(TWO).replace("/@", "/")
    assert f"http://{BOX_IP4}:{LAN_PORT}{link.path}" in link.urls
    world.box.call("grant", str(link.device), str(world.channel_id(TWO)))
    assert set(until(lambda: (found := link.playlist()) and len(found) == 1 and found, "the smaller playlist", 10)) == {TWO.name}


def test_refusals_are_in_words_and_join_nothing(world: World, away: Away, link: LanLink) -> None:
    world.box.call("grant", str(link.device), str(world.channel_id(TWO)))
    until(lambda: is_quiet(world, ONE), "the edge to close behind whoever watched before", 30)
    asked = [
        (link.path_of(ONE), 403, "has not allowed"),
        ("udp/239.10.10.2:5001", 404, "no channel"),
        ("udp/192.0.2.1:5000", 400, "not a multicast address"),
        ("udp/239.10.10.2", 400, "port is missing"),
        ("hls/1", 404, "udp/group:port"),
        ("/lan/7KQ4M2N8XR0T1VWYZ3ABCDEFGH/udp/239.10.10.2:5000", 403, "not valid"),
        ("/lan/x/playlist.m3u", 403, "lan link"),
        ("/udp/239.10.10.2:5000", 403, "lan link"),
        ("/rtp/232.10.10.3:5004", 403, "lan link"),
        ("/playlist.m3u", 403, "lan link"),
    ]
    for path, status, words in asked:
        answer = link.get(path)
        assert (path, answer.status) == (path, status)
        assert answer.headers["content-type"].startswith("text/plain")
        assert words in answer.text.lower(), answer.text
    for channel in (ONE, TWO, THREE):
        assert sockets_of(world, channel) == 0
    assert is_quiet(world, ONE)
    # The same token over HTTPS, and by what is no method of a player.
    run = lambda *arguments: link.space.run("curl", "-sSk", "-o", "/dev/null", "-w", "%{http_code}", *arguments)  # noqa: E731
    assert run(f"https://{BOX_IP4}:8871{link.path}") == "403"
    assert run("-X", "POST", f"http://{BOX_IP4}:{LAN_PORT}{link.path}") == "405"
    assert run("--head", link.url_of(TWO)) == "200"
    assert run("--head", link.url_of(THREE)) == "403"
    assert sockets_of(world, TWO) == 0, "HEAD joins nothing"


def test_whatever_ends_the_permission_cuts_within_two_seconds(world: World, link: LanLink) -> None:
    def taken_back() -> None:
        world.box.call("grant", str(link.device), str(world.channel_id(ONE)))

    def revoked() -> None:
        world.box.call("revoke", str(link.device))

    def dropped() -> None:
        world.box.call("lan-link", str(link.device), "--revoke")

    for end in (taken_back, revoked, dropped):
        world.approve(link.device)
        player = until(lambda: link.playing(TWO), "a player", 30)
        end()
        assert player.ended.wait(2), f"{end.__name__}: still open after two seconds"
        player.close()
        assert link.get(link.path_of(TWO)).status == 403
    world.approve(link.device)
    assert link.get("playlist.m3u").status == 403, "the link stays away"


def test_another_link_replaces_the_first(world: World, link: LanLink) -> None:
    player = link.playing(TWO)
    second = LanLink(world, link.device)
    assert player.ended.wait(2)
    player.close()
    assert link.get("playlist.m3u").status == 403
    second.playing(TWO).close()


def test_player_that_stops_reading_is_dropped_alone(world: World, link: LanLink) -> None:
    healthy = link.playing(TWO)
    stalled = link.play(TWO, stalled=True)
    try:
        assert stalled.wait_for_head() == 200
        assert stalled.closed_by_peer(timeout=60), "the box still waits for a player that reads nothing"
        healthy.wait_for_more(2_000_000)
        assert compare(world.service.film(TWO), healthy.data()).bytes_equal
    finally:
        stalled.close()
        healthy.close()


def test_link_outlives_a_killed_box(world: World, link: LanLink) -> None:
    player = link.playing(ONE)
    world.box.supervisor.kill()
    assert player.ended.wait(10)
    player.close()
    again = link.playing(ONE, timeout=90)
    again.wait_for_more(1_000_000)
    assert compare(world.service.film(ONE), again.data()).bytes_equal
    again.close()


def test_no_log_has_the_token(world: World, link: LanLink) -> None:
    link.playing(TWO).close()
    with pytest.raises(ConnectionLost):  # the box knows no such channel
        link.play(Channel("none", "239.0.0.1", 1)).wait_for_octets(1_000_000)
    assert "lan_player" in world.box.log()
    assert link.token not in world.box.log()
