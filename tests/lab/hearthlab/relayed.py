"""A laptop behind NATs that leave only the relay, and what its player gets."""

from __future__ import annotations

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
