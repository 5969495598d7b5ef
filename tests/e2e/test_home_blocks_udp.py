"""A home whose network lets out TCP to ports 80 and 443 only: the box holds an address on the relay, inside TLS, and streams by it."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from hearthlab import nat
from hearthlab.channels import ONE
from hearthlab.comparison import Comparison
from hearthlab.film import DATAGRAM
from hearthlab.fixtures import away as laptop
from hearthlab.fixtures import raised
from hearthlab.relay import ADDRESS, whole_once
from hearthlab.relayed import begin_anew, laptop_anew, play_into_direct, watch
from hearthlab.waiting import until
from hearthlab.world import Away, World

__all__ = ["laptop"]
REASON = "the home network blocks UDP"


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with raised(relay=True) as lab:
        yield lab


@pytest.fixture(scope="module")
def blocked(world: World, laptop: Away) -> Away:
    """UDP does not pass the home network from now on, and the box has found that out."""
    begin_anew(world, laptop, home="udp-blocked", away_kind="port-restricted")
    return laptop


def connections_to_relay(world: World) -> int:
    lines = world.topology["rendezvous"].run("ss", "-Htn", "state", "established", f"src {ADDRESS}:443")
    return len(lines.splitlines())


def test_a_box_whose_udp_passes_asks_no_relay(world: World, laptop: Away) -> None:
    begin_anew(world, laptop, home="port-restricted", away_kind="port-restricted")
    laptop.playing(ONE, timeout=60).close()
    assert " relay " not in world.box.log()
    assert connections_to_relay(world) == 0


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("port-restricted", REASON), ("symmetric", REASON), ("udp-blocked", "this network and the home network block UDP")],
)
def test_octets_are_the_providers_and_the_reason_is_shown(world: World, blocked: Away, kind: str, reason: str) -> None:
    laptop_anew(world, blocked, kind)
    result = watch(world, blocked)
    assert result.bytes_equal, result
    path = blocked.program.ask("status")["path"]
    assert (path["type"], path["endpoint"].split(":")[0], path["reason"]) == ("relay", ADDRESS, reason)
    assert f"relayed: {reason}" in blocked.program.call("status")
    (device,) = world.box.ask("devices")["devices"]
    assert (device["path"], device["path_reason"]) == ("relayed", reason)
    assert f"connected relayed ({reason})" in world.box.call("devices")
    assert f"relayed: {REASON}. The relay is {ADDRESS}:443, over tls" in world.box.call("status")


@pytest.mark.parametrize("kind", ["port-restricted", "udp-blocked"])
def test_the_first_picture_is_there_soon(world: World, blocked: Away, kind: str) -> None:
    """Goal: three seconds. The limit here is for a busy machine."""
    laptop_anew(world, blocked, kind)
    blocked.playing(ONE, timeout=60).close()
    blocked.program.stop()
    started = time.monotonic()
    blocked.program.start()
    blocked.playing(ONE, timeout=60).close()
    took = time.monotonic() - started
    assert took < 15, took


def test_a_relay_that_restarts_is_asked_again(world: World, blocked: Away) -> None:
    assert world.relay is not None
    laptop_anew(world, blocked, "port-restricted")
    blocked.playing(ONE, timeout=60).close()
    world.relay.restart()
    player = blocked.playing(ONE, timeout=120)
    player.wait_for_more(500 * DATAGRAM)
    player.close()
    assert blocked.program.ask("status")["path"]["type"] == "relay"


def test_a_stream_goes_on_when_udp_is_blocked_in_its_midst(world: World, laptop: Away) -> None:
    begin_anew(world, laptop, home="port-restricted", away_kind="port-restricted")
    player = laptop.playing(ONE, timeout=60)
    world.topology["homenat"].nft("insert rule ip filter through meta l4proto udp drop")
    until(lambda: laptop.program.ask("status").get("path", {}).get("type") == "relay", "a path through the relay", 30)
    player.wait_for_more(500 * DATAGRAM)
    player.close()


def change_to_direct(world: World, laptop: Away) -> Comparison:
    begin_anew(world, laptop, home="udp-blocked", away_kind="port-restricted")
    # What is open stays open: the stream that carries goes on.
    rules = "flush ruleset\n" + nat.PORT_RESTRICTED.rules
    return play_into_direct(world, laptop, lambda: world.topology["homenat"].nft(rules))[0]


def test_a_direct_path_is_taken_when_udp_passes_and_no_packet_is_lost(world: World, laptop: Away) -> None:
    result = whole_once(lambda: change_to_direct(world, laptop))
    assert result.bytes_equal, result


def test_then_the_address_on_the_relay_is_given_back(world: World, laptop: Away) -> None:
    until(lambda: REASON not in world.box.call("status"), "an answer over UDP", 60)
    until(lambda: connections_to_relay(world) == 0, "the end of the allocation", 120)
