"""Home or laptop moves in mid-stream: other addresses, other networks, another family, a NAT that forgets.

The picture comes back in time, over the same session. The limits here are wider than the goals, since the machine of a test is
busy and the programs carry sanitizers; `./hearth bench paths` holds the programs that people run to the goals themselves.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from hearthlab import moves
from hearthlab.capture import Capture, fields
from hearthlab.channels import ONE
from hearthlab.player import Player
from hearthlab.topology import HOME_WAN_IP4
from hearthlab.waiting import until
from hearthlab.world import Away, World

BACK_S = 20.0  # goal 3 s: home's address, the laptop's network or family; without what is tested here it is half a minute and more
SEEN_S = 20.0  # goal 1 s: where the box sees it itself; 2 s: a NAT that forgot
PROBED_S = 1.5  # goal 0.25 s

_ports = itertools.count(31001)


@pytest.fixture(scope="module")
def hotel(world: World) -> moves.Hotel:
    return moves.Hotel(world.topology)


@pytest.fixture
def player(world: World, away: Away) -> Iterator[Player]:
    """A stream that runs, over a session whose number of keys agreed on does not change in the test."""
    one = away.playing(ONE)
    one.wait_for_more(1_000_000)
    before = sessions(world, away)
    yield one
    one.close()
    assert sessions(world, away) == before, "no keys had to be agreed on anew"


def sessions(world: World, away: Away) -> tuple[int, int]:
    """How many sessions each end has begun."""
    return away.program.log().count(" session_established "), world.box.log().count(" tunnel_opened ")


def endpoint(away: Away) -> str:
    return str(away.program.ask("status")["path"]["endpoint"])


def test_home_gets_another_address(world: World, away: Away, player: Player) -> None:
    for last in (3, 4):
        assert moves.watch(player, lambda: moves.give_home_address(world.topology, last)).back_s <= BACK_S  # noqa: B023
        assert endpoint(away).startswith(f"{moves.HOME_NETWORK}.{last}:")
    assert moves.watch(player, lambda: moves.home_again(world.topology)).back_s <= BACK_S
    assert endpoint(away).startswith(f"{HOME_WAN_IP4}:")


def test_homes_router_forgets(world: World, away: Away, player: Player) -> None:
    for _ in range(2):
        port = next(_ports)
        assert moves.watch(player, lambda: moves.rebind(world.topology["homenat"], port)).back_s <= SEEN_S  # noqa: B023
        assert endpoint(away) == f"{HOME_WAN_IP4}:{port}"


def test_the_laptops_router_forgets(world: World, away: Away, player: Player) -> None:
    for _ in range(2):
        port = next(_ports)
        assert moves.watch(player, lambda: moves.rebind(world.topology["awaynat"], port)).back_s <= SEEN_S  # noqa: B023
        (device,) = world.box.ask("devices")["devices"]
        assert device["address"].endswith(f":{port}")


def test_the_laptop_goes_to_another_network_and_back(world: World, away: Away, player: Player, hotel: moves.Hotel) -> None:
    assert moves.watch(player, hotel.enter).back_s <= BACK_S
    (device,) = world.box.ask("devices")["devices"]
    assert device["address"].startswith(f"{moves.HOTEL_WAN_IP4}:")
    assert moves.watch(player, hotel.leave).back_s <= BACK_S


def test_silence_is_noticed_and_probed(world: World, away: Away, player: Player, tmp_path: Path) -> None:
    """And nothing goes to a new address of the laptop before it has answered there."""
    capture = Capture(world.topology["internet"], "home", tmp_path / "home.pcap")
    at_laptop = Capture(world.topology["laptop"], "eth0", tmp_path / "laptop.pcap")
    port = next(_ports)
    moves.watch(player, lambda: moves.rebind(world.topology["awaynat"], port))
    capture.stop()
    at_laptop.stop()

    media = [float(row[0]) for row in fields(tmp_path / "laptop.pcap", "udp.length > 1000 && ip.dst == 192.168.7.20", "frame.time_epoch")]
    silent, back = max(zip(media, media[1:]), key=lambda pair: pair[1] - pair[0])
    checks = fields(tmp_path / "laptop.pcap", f"stun.type == 0x0001 && ip.dst == {HOME_WAN_IP4}", "frame.time_epoch")
    assert any(silent < float(row[0]) <= silent + PROBED_S for row in checks), (silent, back, checks)

    new = f"udp.port == {port}"
    answered = fields(tmp_path / "home.pcap", f"{new} && stun.type == 0x0101 && ip.dst == {HOME_WAN_IP4}", "frame.time_epoch")
    sent = fields(tmp_path / "home.pcap", f"{new} && udp.length > 1000 && ip.src == {HOME_WAN_IP4}", "frame.time_epoch")
    assert answered and sent and float(answered[0][0]) < float(sent[0][0])


class TestWithIp6:
    """The home has IPv6, too, behind a firewall; the laptop finds it wherever it is."""

    @pytest.fixture(scope="class", autouse=True)
    def ip6(self, world: World, hotel: moves.Hotel) -> None:
        moves.give_home_ip6(world.topology, firewall=False)

    def test_from_ip4_alone_to_ip6_alone_and_back(self, world: World, away: Away, player: Player, hotel: moves.Hotel) -> None:
        until(lambda: any(moves.HOME_BOX_IP6 in told for told in away.program.ask("reach")["told"]), "the box's IPv6 address", 30)
        assert moves.watch(player, lambda: hotel.enter(ip6=True)).back_s <= BACK_S
        assert endpoint(away).startswith(f"[{moves.HOME_BOX_IP6}]:")
        (device,) = world.box.ask("devices")["devices"]
        assert device["address"].startswith(f"[{moves.HOTEL_LAPTOP_IP6}]:")
        assert moves.watch(player, hotel.leave).back_s <= BACK_S
        assert endpoint(away).startswith(f"{HOME_WAN_IP4}:")

    def test_the_boxs_own_address_changes(self, world: World, away: Away, player: Player, hotel: moves.Hotel) -> None:
        hotel.enter(ip6=True)
        try:
            until(lambda: endpoint(away).startswith(f"[{moves.HOME_BOX_IP6}]:"), "a path over IPv6", 30)
            player.wait_for_more(1_000_000)
            for last in (0x21, 0x22):
                address = ""

                def renumber() -> None:
                    nonlocal address
                    address = moves.renumber_box(world.topology, last)  # noqa: B023

                assert moves.watch(player, renumber).back_s <= SEEN_S
                assert endpoint(away).startswith(f"[{address}]:")
        finally:
            hotel.leave()
