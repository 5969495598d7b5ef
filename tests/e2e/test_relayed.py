"""A viewer whose NAT and whose home's NAT assign a port per destination: the picture comes through the relay."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hearthlab.channels import ONE
from hearthlab.comparison import Comparison, compare
from hearthlab.film import DATAGRAM
from hearthlab.fixtures import raised
from hearthlab.relay import ADDRESS, PORT, SECRET, whole_once
from hearthlab.relayed import laptop_between, watch
from hearthlab.sites import block_between_sites, give_access, open_between_sites
from hearthlab.waiting import until
from hearthlab.world import Away, World


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with raised(relay=True) as lab:
        yield lab


@pytest.fixture(scope="module")
def away(world: World) -> Away:
    return laptop_between(world, home="symmetric", away="symmetric")


def test_octets_are_the_providers(world: World, away: Away) -> None:
    result = watch(world, away)
    assert result.bytes_equal, result


def test_the_path_and_its_reason_are_shown(world: World, away: Away) -> None:
    path = away.program.ask("status")["path"]
    assert path["type"] == "relay"
    assert path["endpoint"] == f"{ADDRESS}:{PORT}"
    assert path["transport"] == "udp"
    assert path["reason"] == "both NATs assign a port per destination"
    assert "relayed: both NATs assign a port per destination" in away.program.call("status")
    (device,) = world.box.ask("devices")["devices"]
    assert device["path"] == "relayed"


def change_to_direct(world: World, away: Away) -> Comparison:
    """Plays from before a direct way opens until after it is taken."""
    away.program.stop()
    world.box.stop()
    give_access(world.topology, home="port-restricted", away="port-restricted")
    block_between_sites(world.topology)
    world.box.start()
    world.wait_for_rendezvous(world.box)
    away.program.start()
    player = away.playing(ONE, timeout=120)
    path = away.program.ask("status")["path"]
    assert (path["type"], path["reason"]) == ("relay", "no direct way lets packets through")
    player.wait_for_more(500 * DATAGRAM)
    open_between_sites(world.topology)
    opened = time.monotonic()
    until(lambda: away.program.ask("status")["path"]["type"] != "relay", "a direct path", 120)
    assert time.monotonic() - opened < 60
    player.wait_for_more(1000 * DATAGRAM)
    data = player.data()
    (stream,) = away.program.ask("status")["streams"]
    player.close()
    result = compare(world.service.film(ONE), data)
    # One that had to be asked for again was lost in the change, too.
    return result if stream["repaired"] == 0 else replace(result, lost=max(result.lost, 1))


def test_a_direct_path_is_taken_when_there_is_one_and_no_packet_is_lost(world: World, away: Away) -> None:
    result = whole_once(lambda: change_to_direct(world, away))
    assert result.bytes_equal, result


def test_no_log_has_a_secret(world: World, away: Away) -> None:
    assert world.relay is not None
    for program in (world.rendezvous, world.box, away.program):
        assert SECRET not in program.log()
