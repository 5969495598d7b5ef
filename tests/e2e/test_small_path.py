"""Paths that carry less than a datagram with its headers and the seal: nothing vanishes, and every octet is the provider's.

The Internet's link to the away site is made narrow, and its router tells nobody: what ICMP says of sizes is dropped, as many
networks do it. So whatever the box knows of a path it has found out itself.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hearthlab.channels import ALL, FOUR, ONE, THREE, TWO, Channel
from hearthlab.comparison import compare
from hearthlab.film import DATAGRAM
from hearthlab.player import Player
from hearthlab.sites import join_by_ip6, narrow_away, part_ip6
from hearthlab.waiting import until
from hearthlab.world import Away, World

WANTED = 2000 * DATAGRAM
STEP = 4  # octets: so exactly the box knows a path

SILENT_ROUTER = """
table inet smallpath {
  chain out {
    type filter hook output priority filter;
    icmp type destination-unreachable icmp code frag-needed drop
    icmpv6 type packet-too-big drop
  }
  chain through {
    type filter hook forward priority filter;
    ip frag-off & 0x3fff != 0 counter name fragments
    exthdr frag exists counter name fragments
  }
  counter fragments { }
}
"""

# The form that each channel's datagrams need, for an outer header of IPv4 and of IPv6.
FORMS4 = {
    1500: {"full"},
    1492: {"full"},
    1428: {"full", "compact"},
    1280: {"fragments"},
}
FORM_OF_ONE = {
    4: {1500: "full", 1492: "full", 1428: "compact", 1280: "fragments"},
    6: {1500: "full", 1492: "full", 1428: "compact", 1280: "fragments"},
}


@pytest.fixture(scope="module")
def number(world: World) -> Iterator[int]:
    """The device's number; its client is `world.aways["away"]`."""
    world.topology["internet"].nft(SILENT_ROUTER)
    laptop = world.new_away("away")
    device = world.pair(laptop)
    world.approve(device)
    yield device
    narrow_away(world.topology, 1500)


def begin_anew(world: World, mtu: int) -> Away:
    """The client begins on a path of that size, which nobody knows yet."""
    laptop = world.aways["away"]
    laptop.program.stop()
    narrow_away(world.topology, mtu)
    laptop.program.start()
    until(lambda: laptop.program.ask("status")["state"] == "connected", "the client to find its box", 60)
    return laptop


def stream_of(laptop: Away, channel: Channel) -> dict[str, object]:
    # The only one that has players: the others are closed before the next is watched.
    watched = [s for s in laptop.program.ask("status")["streams"] if s["players"] > 0]
    assert len(watched) == 1, watched
    return dict(watched[0])


def form_at_box(world: World, number: int) -> str:
    """What the box tells of it, once its statistics of a second know the player."""
    return str(until(lambda: world.device(number).get("form"), "the form in the box's statistics", 30))


def whole(world: World, laptop: Away, channel: Channel) -> tuple[str, float]:
    """Plays a channel; its octets are the provider's. The form in which they came, and how long the first took."""
    player = laptop.playing(channel)
    try:
        first = (player.arrivals()[0][1] - player.requested_ns) / 1e9
        player.wait_for_octets(WANTED)
        form = until(
            lambda: (lambda s: s["form"] if s["packets"] else None)(stream_of(laptop, channel)), "statistics", 30
        )
        result = compare(world.service.film(channel), player.data())
        assert result.bytes_equal, result
        assert result.continuity_errors == 0
        return str(form), first
    finally:
        player.close()


def fragments_of_ip(world: World) -> int:
    listing = json.loads(world.topology["internet"].run("nft", "-j", "list", "counter", "inet", "smallpath", "fragments"))
    return next(int(item["counter"]["packets"]) for item in listing["nftables"] if "counter" in item)


def expect_size(world: World, number: int, laptop: Away, mtu: int) -> None:
    """Box and client tell the path's size as it is."""

    def known() -> bool:
        told = (world.device(number).get("path_mtu", 0), laptop.program.ask("status")["path"].get("path_mtu", 0))
        return all(mtu - STEP < size <= mtu for size in told)

    until(known, f"a path of {mtu} octets to be found out", 60)


@pytest.mark.parametrize("mtu", [1500, 1492, 1428, 1280])
def test_every_channel_is_whole(world: World, number: int, mtu: int) -> None:
    laptop = begin_anew(world, mtu)
    before = fragments_of_ip(world)
    forms = {}
    for channel in ALL:
        forms[channel.name], first = whole(world, laptop, channel)
        print(f"path {mtu}, {channel.name}: {forms[channel.name]}, first octets after {first * 1000:.0f} ms")
        assert first < 5
    assert set(forms.values()) <= FORMS4[mtu], forms
    assert forms[ONE.name] == FORM_OF_ONE[4][mtu]
    assert fragments_of_ip(world) == before, "IP fragments, which many networks drop"
    player = laptop.playing(ONE)
    try:
        expect_size(world, number, laptop, mtu)
        assert form_at_box(world, number) == FORM_OF_ONE[4][mtu]
    finally:
        player.close()


def silence_after(player: Player, moment_ns: int, seconds: float) -> float:
    """The longest time without an arrival in so many seconds after the moment."""
    end = moment_ns + int(seconds * 1e9)
    until(lambda: player.last_arrival_ns() > end, "the stream to go on", 60)
    times = [moment_ns] + [when for _, when in player.arrivals() if moment_ns < when]
    return max(later - earlier for earlier, later in zip(times, times[1:])) / 1e9


@pytest.mark.parametrize("smaller", [1428, 1280])
def test_a_path_that_shrinks_without_a_word(world: World, number: int, smaller: int) -> None:
    laptop = begin_anew(world, 1500)
    player = laptop.playing(ONE)
    try:
        expect_size(world, number, laptop, 1500)
        player.wait_for_more(1_000_000)
        narrow_away(world.topology, smaller)
        moment = time.monotonic_ns()
        silence = silence_after(player, moment, 8)
        print(f"path from 1500 to {smaller}: {silence:.1f} s without picture")
        # Two to three seconds on a quiet machine.
        assert silence < 7
        expect_size(world, number, laptop, smaller)
        assert stream_of(laptop, ONE)["form"] == FORM_OF_ONE[4][smaller]
        mark = player.octets()
        player.wait_for_more(2_000_000)
        data = player.data()[mark - mark % 188 + 188 :]
        result = compare(world.service.film(ONE), data)
        assert result.bytes_equal, result
    finally:
        player.close()


def test_what_is_sent_is_marked_as_video(world: World, number: int, tmp_path: Path) -> None:
    laptop = begin_anew(world, 1500)
    player = laptop.playing(ONE)
    try:
        listing = world.topology["internet"].run(
            "timeout", "60", "tcpdump", "-Z", "root", "-c", "50", "-n", "-v", "-i", "away", "udp and greater 1000",
            timeout=90,
        )
        marks = {line.split("tos ", 1)[1].split(",")[0] for line in listing.splitlines() if "tos " in line}
        assert marks == {"0x88"}, marks  # AF41
    finally:
        player.close()


@pytest.fixture
def only_ip6(world: World) -> Iterator[None]:
    join_by_ip6(world.topology)
    yield
    part_ip6(world.topology)


def test_over_ip6(world: World, number: int, only_ip6: None) -> None:
    for mtu in (1500, 1428, 1280):
        laptop = begin_anew(world, mtu)
        path = until(lambda: laptop.program.ask("status")["path"]["endpoint"], "a path", 60)
        assert path.startswith("["), path
        for channel in (ONE, TWO, THREE, FOUR):
            form, first = whole(world, laptop, channel)
            print(f"IPv6 path {mtu}, {channel.name}: {form}, first octets after {first * 1000:.0f} ms")
        player = laptop.playing(ONE)
        try:
            expect_size(world, number, laptop, mtu)
            assert form_at_box(world, number) == FORM_OF_ONE[6][mtu]
        finally:
            player.close()
