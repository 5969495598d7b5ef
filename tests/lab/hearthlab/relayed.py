"""A laptop behind NATs that leave only the relay, and what its player gets."""

from __future__ import annotations

import time
from collections.abc import Callable

from .channels import ONE
from .comparison import Comparison, compare
from .film import DATAGRAM
from .relay import whole_once
from .sites import give_access
from .waiting import until
from .world import Away, World


def laptop_between(world: World, *, home: str, away: str) -> Away:
    """Paired and approved. The box starts anew: its connections were those of another router."""
    give_access(world.topology, home=home, away=away)
    world.box.stop()
    world.box.start()
    until(lambda: world.box.ask("status"), "the box's control socket")
    world.wait_for_rendezvous(world.box)
    laptop = world.new_away("away")
    world.approve(world.pair(laptop))
    return laptop


def watch(world: World, away: Away) -> Comparison:
    """Plays a while, again when a busy machine's coturn lost some (relay.py)."""

    def play() -> Comparison:
        player = away.playing(ONE, timeout=120)
        player.wait_for_more(3000 * DATAGRAM)
        data = player.data()
        player.close()
        return compare(world.service.film(ONE), data)

    return whole_once(play)


def begin_anew(world: World, away: Away, *, home: str, away_kind: str) -> None:
    """Both programs, behind routers of these kinds; the box is where it can be found."""
    away.program.stop()
    world.box.stop()
    give_access(world.topology, home=home)
    world.box.start()
    world.wait_for_rendezvous(world.box)
    if home == "udp-blocked":
        world.wait_for_relay(world.box)
    laptop_anew(world, away, away_kind)


def laptop_anew(world: World, away: Away, kind: str) -> None:
    """The laptop alone, behind a router of that kind; the box goes on."""
    away.program.stop()
    give_access(world.topology, away=kind)
    away.program.start()
    until(lambda: away.program.ask("status"), "the laptop's control socket")


def play_into_direct(world: World, away: Away, open_way: Callable[[], None]) -> tuple[Comparison, int]:
    """Plays from before a direct way opens until after it is taken, within a minute. And how many packets were asked for again."""
    player = away.playing(ONE, timeout=120)
    assert away.program.ask("status")["path"]["type"] == "relay"
    player.wait_for_more(500 * DATAGRAM)
    open_way()
    opened = time.monotonic()
    until(lambda: away.program.ask("status")["path"]["type"] != "relay", "a direct path", 120)
    assert time.monotonic() - opened < 60
    player.wait_for_more(1000 * DATAGRAM)
    data = player.data()
    (stream,) = away.program.ask("status")["streams"]
    player.close()
    return compare(world.service.film(ONE), data), int(stream["repaired"])
