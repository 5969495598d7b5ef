"""A viewer whose NAT and whose home's NAT assign a port per destination: the picture comes through the relay."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hearthlab import nat
from hearthlab.channels import ONE
from hearthlab.comparison import compare
from hearthlab.film import DATAGRAM
from hearthlab.fixtures import raised
from hearthlab.relay import PORT, SECRET
from hearthlab.topology import AWAY_WAN_IP4, HOME_WAN_IP4, RENDEZVOUS_IP4
from hearthlab.waiting import until
from hearthlab.world import Away, World

SYMMETRIC = nat.PROFILES["symmetric"]


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with raised(relay=True) as lab:
        yield lab


@pytest.fixture(scope="module")
def away(world: World) -> Away:
    for router, wan in (("homenat", HOME_WAN_IP4), ("awaynat", AWAY_WAN_IP4)):
        nat.apply(world.topology[router], wan, SYMMETRIC)
    world.box.stop()  # its connections were those of another router
    world.box.start()
    until(lambda: world.box.ask("status"), "the box's control socket")
    world.wait_for_rendezvous(world.box)
    laptop = world.new_away("away")
    world.approve(world.pair(laptop))
    return laptop


def test_octets_are_the_providers(world: World, away: Away) -> None:
    player = away.playing(ONE, timeout=120)
    player.wait_for_more(3000 * DATAGRAM)
    data = player.data()
    player.close()
    result = compare(world.service.film(ONE), data)
    assert result.bytes_equal, result


def test_the_path_and_its_reason_are_shown(world: World, away: Away) -> None:
    path = away.program.ask("status")["path"]
    assert path["type"] == "relay"
    assert path["endpoint"] == f"{RENDEZVOUS_IP4}:{PORT}"
    assert path["reason"] == "both NATs assign a port per destination"
    assert "relayed: both NATs assign a port per destination" in away.program.call("status")
    (device,) = world.box.ask("devices")["devices"]
    assert device["path"] == "relayed"


def test_a_direct_path_is_taken_when_there_is_one_and_no_packet_is_lost(world: World, away: Away) -> None:
    player = away.playing(ONE, timeout=120)
    player.wait_for_more(500 * DATAGRAM)
    for router, wan in (("homenat", HOME_WAN_IP4), ("awaynat", AWAY_WAN_IP4)):
        world.topology[router].nft("flush ruleset\n" + nat.PORT_RESTRICTED.rules.replace("{wan}", wan))
    until(lambda: away.program.ask("status")["path"]["type"] != "relay", "a direct path", 120)
    player.wait_for_more(1000 * DATAGRAM)
    data = player.data()
    player.close()
    result = compare(world.service.film(ONE), data)
    assert result.bytes_equal, result


def test_no_log_has_a_secret(world: World, away: Away) -> None:
    assert world.relay is not None
    for program in (world.rendezvous, world.box, away.program):
        assert SECRET not in program.log()
