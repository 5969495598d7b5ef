"""The owner of the box and whoever holds the laptop may forbid the relay, or want nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hearthlab.channels import ONE
from hearthlab.fixtures import away as laptop
from hearthlab.fixtures import raised
from hearthlab.program import Program
from hearthlab.relayed import begin_anew
from hearthlab.waiting import until
from hearthlab.world import Away, World

__all__ = ["laptop"]


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with raised(relay=True) as lab:
        yield lab


def want(program: Program, policy: str) -> None:
    network = {**program.settings.get("network", {}), "relay": policy}
    program.write_settings({**program.settings, "network": network})


def begin(world: World, laptop: Away, *, kind: str, box: str = "auto", away: str = "auto") -> None:
    """Both programs anew, behind NATs of that kind, with these settings."""
    want(world.box, box)
    want(laptop.program, away)
    begin_anew(world, laptop, home=kind, away_kind=kind)


@pytest.mark.parametrize(
    ("box", "away", "by"),
    [("auto", "always", "this device's settings"), ("always", "auto", "the owner of the box")],
)
def test_a_relay_that_is_wanted_is_used_although_there_is_a_direct_way(world: World, laptop: Away, box: str, away: str, by: str) -> None:
    begin(world, laptop, kind="port-restricted", box=box, away=away)
    player = laptop.playing(ONE, 1_000_000, timeout=60)
    player.close()
    status = laptop.program.ask("status")
    assert status["path"]["type"] == "relay"
    assert status["path"]["reason"] == "the settings want it"
    assert status["relay"]["policy"] == "always"
    assert by in status["relay"]["text"]
    (device,) = world.box.ask("devices")["devices"]
    assert device["path"] == "relayed"


@pytest.mark.parametrize(
    ("box", "away", "by"),
    [("auto", "never", "this device's settings"), ("never", "auto", "the owner of the box")],
)
def test_a_relay_that_is_forbidden_is_not_used_although_there_is_no_direct_way(
    world: World, laptop: Away, box: str, away: str, by: str
) -> None:
    begin(world, laptop, kind="symmetric", box=box, away=away)
    until(lambda: f"forbidden by {by}" in laptop.program.call("status"), "why there is no path")
    introduced = laptop.program.log().count(" introduced ")
    until(lambda: laptop.program.log().count(" introduced ") >= introduced + 2, "two more introductions", 120)
    assert "path" not in laptop.program.ask("status")
    assert laptop.program.ask("status")["state"] == "searching"
    assert not world.box.ask("devices")["devices"][0]["connected"]


def test_the_box_says_what_it_wants(world: World, laptop: Away) -> None:
    for policy, words in (("never", "No stream may go through a relay"), ("always", "through relays only")):
        world.box.stop()
        want(world.box, policy)
        world.box.start()
        until(lambda words=words: words in world.box.call("status"), words)


def test_the_box_knows_why_a_device_is_relayed(world: World, laptop: Away) -> None:
    begin(world, laptop, kind="symmetric")
    player = laptop.playing(ONE, timeout=60)
    player.close()
    reason = until(lambda: world.box.ask("devices")["devices"][0].get("path_reason"), "the reason at the box")
    assert reason == "both NATs assign a port per destination"
    assert "connected relayed (both NATs assign a port per destination)" in world.box.call("devices")
