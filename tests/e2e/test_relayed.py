"""A viewer whose NAT and whose home's NAT assign a port per destination: the picture comes through the relay."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hearthlab.comparison import Comparison
from hearthlab.fixtures import raised
from hearthlab.relay import ADDRESS, PORT, SECRET, whole_once
from hearthlab.relayed import laptop_between, play_into_direct, watch
from hearthlab.sites import block_between_sites, give_access, open_between_sites
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
    away.program.stop()
    world.box.stop()
    give_access(world.topology, home="port-restricted", away="port-restricted")
    block_between_sites(world.topology)
    world.box.start()
    world.wait_for_rendezvous(world.box)
    away.program.start()

    def open_way() -> None:
        assert away.program.ask("status")["path"]["reason"] == "no direct way lets packets through"
        open_between_sites(world.topology)

    result, repaired = play_into_direct(world, away, open_way)
    # One that had to be asked for again was lost in the change, too.
    return result if repaired == 0 else replace(result, lost=max(result.lost, 1))


def test_a_direct_path_is_taken_when_there_is_one_and_no_packet_is_lost(world: World, away: Away) -> None:
    result = whole_once(lambda: change_to_direct(world, away))
    assert result.bytes_equal, result


def test_no_log_has_a_secret(world: World, away: Away) -> None:
    assert world.relay is not None
    for program in (world.rendezvous, world.box, away.program):
        assert SECRET not in program.log()
