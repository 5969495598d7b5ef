"""A home whose network lets no TCP out any more: the rendezvous still knows the box by UDP, and a laptop in a new place finds it, directly or
through a relay."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hearthlab.channels import ONE
from hearthlab.fixtures import raised
from hearthlab.sites import CARRIER_GRADE, give_access
from hearthlab.waiting import until
from hearthlab.world import Away, World

NOT_ANSWERED = 150  # seconds until both ends of a connection that was not reset believe that it is gone, and some


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with raised(relay=True) as lab:
        yield lab


@pytest.fixture(scope="module")
def quiet(world: World, away: Away) -> Away:
    """The laptop is behind another address than it ever was, and its box without a WebSocket."""
    away.program.stop()
    world.box.stop()
    give_access(world.topology, home="port-restricted", away=CARRIER_GRADE)
    world.box.start()
    world.wait_for_rendezvous(world.box)
    router = world.topology["homenat"]
    # Nothing new goes out, and what is there is reset for both ends; that each also gives up one that only falls silent, after
    # 100 seconds, is shown by tests/unit/http/websocket_test.cpp.
    router.nft('insert rule ip filter through iifname "lan" oifname "wan" tcp flags & (syn | ack) == syn drop')
    world.topology["box"].run("ss", "-K", "-t", "state", "established", "dport", "=", ":443")
    router.nft('insert rule ip filter through iifname "lan" oifname "wan" meta l4proto tcp drop')
    until(lambda: world.rendezvous.ask("status")["boxes"] == 0, "the end of the box's WebSocket", NOT_ANSWERED)
    until(lambda: world.box.ask("status")["rendezvous"]["state"] != "connected", "the box to notice it", NOT_ANSWERED)
    return away


def test_the_laptop_finds_its_box(world: World, quiet: Away) -> None:
    assert " knocked " not in world.box.log()
    quiet.program.start()
    quiet.playing(ONE, timeout=60).close()
    assert " knocked " in world.box.log()
    assert world.rendezvous.ask("status")["counters"]["knocks"] >= 1
    (device,) = world.box.ask("devices")["devices"]
    assert device["path"] == "direct"


def test_through_the_relay_where_there_is_no_other_way(world: World, quiet: Away) -> None:
    quiet.program.stop()
    give_access(world.topology, away="symmetric")
    quiet.program.start()
    quiet.playing(ONE, timeout=60).close()
    (device,) = world.box.ask("devices")["devices"]
    assert device["path"] == "relayed"
    assert world.rendezvous.ask("status")["boxes"] == 0


def test_and_is_introduced_again_when_tcp_passes(world: World, quiet: Away) -> None:
    give_access(world.topology, home="port-restricted", away=CARRIER_GRADE)
    world.wait_for_rendezvous(world.box, 120)
    assert world.rendezvous.ask("status")["boxes"] == 1
