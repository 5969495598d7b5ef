"""Rendezvous and relay share one address and TCP 443: a viewer whose network blocks UDP needs no second one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hearthlab.channels import ONE
from hearthlab.film import DATAGRAM
from hearthlab.fixtures import raised
from hearthlab.relayed import laptop_between, watch
from hearthlab.topology import RENDEZVOUS_IP4
from hearthlab.world import Away, World


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with raised(relay=True, behind=True) as lab:
        yield lab


@pytest.fixture(scope="module")
def away(world: World) -> Away:
    return laptop_between(world, home="port-restricted", away="udp-blocked")


def test_octets_are_the_providers(world: World, away: Away) -> None:
    result = watch(world, away)
    assert result.bytes_equal, result
    path = away.program.ask("status")["path"]
    assert (path["type"], path["endpoint"], path["transport"]) == ("relay", f"{RENDEZVOUS_IP4}:443", "tls")


def test_the_operator_sees_that_it_was_led_there(world: World, away: Away) -> None:
    status = world.rendezvous.ask("status")
    assert status["connections_to_relay"] >= 1
    assert status["boxes"] == 1  # which the same port serves


def test_it_comes_back_after_the_rendezvous_restarted(world: World, away: Away) -> None:
    """What is carried ends with the program that carries it."""
    world.rendezvous.stop()
    world.rendezvous.start()
    world.wait_for_rendezvous(world.box)
    player = away.playing(ONE, timeout=120)
    player.wait_for_more(500 * DATAGRAM)
    player.close()
    assert away.program.ask("status")["path"]["transport"] == "tls"
