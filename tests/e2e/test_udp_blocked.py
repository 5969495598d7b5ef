"""A viewer in a network that lets out TCP to ports 80 and 443 only: the picture comes through the relay, inside TLS."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from hearthlab import nat
from hearthlab.channels import ONE
from hearthlab.comparison import Comparison
from hearthlab.film import DATAGRAM
from hearthlab.fixtures import raised
from hearthlab.relay import ADDRESS, whole_once
from hearthlab.relayed import begin_anew, laptop_between, play_into_direct, watch
from hearthlab.world import Away, World


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with raised(relay=True) as lab:
        yield lab


@pytest.fixture(scope="module")
def away(world: World) -> Away:
    return laptop_between(world, home="port-restricted", away="udp-blocked")


def test_octets_are_the_providers(world: World, away: Away) -> None:
    result = watch(world, away)
    assert result.bytes_equal, result


def test_the_path_and_its_reason_are_shown(world: World, away: Away) -> None:
    path = away.program.ask("status")["path"]
    assert (path["type"], path["endpoint"], path["transport"]) == ("relay", f"{ADDRESS}:443", "tls")
    assert path["reason"] == "this network blocks UDP"
    assert "relayed: this network blocks UDP" in away.program.call("status")
    (device,) = world.box.ask("devices")["devices"]
    assert device["path"] == "relayed"


def test_the_first_picture_does_not_wait_for_what_is_blocked(world: World, away: Away) -> None:
    """Goal: three seconds. The limit here is for a busy machine."""
    away.program.stop()
    started = time.monotonic()
    away.program.start()
    player = away.playing(ONE, timeout=60)
    took = time.monotonic() - started
    player.close()
    assert away.program.ask("status")["path"]["transport"] == "tls"
    assert took < 15, took


def test_a_relay_that_restarts_is_asked_again(world: World, away: Away) -> None:
    assert world.relay is not None
    world.relay.restart()
    player = away.playing(ONE, timeout=120)
    player.wait_for_more(500 * DATAGRAM)
    player.close()
    assert away.program.ask("status")["path"]["transport"] == "tls"


def change_to_direct(world: World, away: Away) -> Comparison:
    begin_anew(world, away, home="port-restricted", away_kind="udp-blocked")

    def open_way() -> None:
        assert away.program.ask("status")["path"]["transport"] == "tls"
        # What is open stays open: the stream that carries goes on.
        world.topology["awaynat"].nft("flush ruleset\n" + nat.PORT_RESTRICTED.rules)

    return play_into_direct(world, away, open_way)[0]


def test_a_direct_path_is_taken_when_udp_passes_and_no_packet_is_lost(world: World, away: Away) -> None:
    result = whole_once(lambda: change_to_direct(world, away))
    assert result.bytes_equal, result
