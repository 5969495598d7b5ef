"""Many streams that run while the rendezvous is dead and their box restarts: what goes on, and what says why it cannot."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from .channels import ALL
from .meter import Meter
from .program import Refused
from .waiting import until
from .world import Away, World

AFTER_RESTART_S = 30.0  # until every stream is back, on a busy machine
BREAK_S = 8.0  # a busy machine makes streams stop for a moment; whatever depends on the rendezvous would stop for good
NO_MATTER_S = 1.0  # so short an interruption is no reason to agree on keys anew


def viewers(world: World, direct: int, relayed: int) -> list[Away]:
    """Laptops away that are paired and approved; the last ones use relays only."""
    all_of_them = []
    for number in range(direct + relayed):
        away = world.new_away(f"viewer-{number}", port=8870 + number)
        world.approve(world.pair(away))
        if number >= direct:
            away.program.stop()
            away.program.write_settings({**away.program.settings, "network": {"relay": "always"}})
            away.program.start()
        all_of_them.append(away)
    return all_of_them


def run(world: World, aways: list[Away], seconds: float) -> None:
    """Plays one channel on each while the rendezvous is away for so long; in its middle the box is killed."""
    with ThreadPoolExecutor(len(aways)) as pool:
        firsts = list(pool.map(lambda one: one[1].playing(ALL[one[0] % len(ALL)], timeout=120), enumerate(aways)))
    meters = [Meter(away, ALL[number % len(ALL)]) for number, away in enumerate(aways)]
    for first in firsts:
        first.close()
    try:
        until(lambda: all(meter.octets() > 500_000 for meter in meters), "all streams", 60)
        kinds = [away.program.ask("status")["path"]["type"] for away in aways]
        _go_through(world, aways, meters, seconds)
        assert [away.program.ask("status")["path"]["type"] == "relay" for away in aways] == [kind == "relay" for kind in kinds]
    finally:
        for meter in meters:
            meter.close()


def _go_through(world: World, aways: list[Away], meters: list[Meter], seconds: float) -> None:
    sessions = [away.program.log().count(" session_established ") for away in aways]
    world.rendezvous.supervisor.stop()
    gone = time.monotonic()
    until(lambda: world.box.ask("status")["rendezvous"]["state"] != "connected", "the box to notice", 30)
    _says_why(world, aways[0])
    time.sleep(max(0.0, seconds / 2 - (time.monotonic() - gone)))
    assert _longest(meters, gone) < BREAK_S
    if _longest(meters, gone) < NO_MATTER_S:
        assert [away.program.log().count(" session_established ") for away in aways] == sessions, "no keys were agreed on anew"

    restarted = world.box.supervisor.kill()
    steady = until(lambda: _all_run(meters) and time.monotonic(), "all streams after the box's restart", 120)
    assert steady - restarted <= AFTER_RESTART_S
    time.sleep(max(0.0, seconds - (time.monotonic() - gone)))
    assert _longest(meters, steady) < BREAK_S
    world.rendezvous.supervisor.start()
    world.wait_for_rendezvous(world.box, 120)
    for away in aways:
        until(lambda: away.program.ask("status")["rendezvous"] == "connected", "a laptop at the rendezvous", 120)  # noqa: B023
    assert _longest(meters, steady) < BREAK_S


def _longest(meters: list[Meter], since: float) -> float:
    """The longest interruption of any viewer, none of whom had to ask again."""
    for number, meter in enumerate(meters):
        assert not meter.ended.is_set(), f"viewer {number} had to ask again"
    return max((until - begin for meter in meters for begin, until in meter.interruptions(since)), default=0.0)


def _all_run(meters: list[Meter]) -> bool:
    """Each has played for two seconds without an interruption."""
    now = time.monotonic()
    return all(meter.silent_for() < 0.5 and not meter.interruptions(now - 2) for meter in meters)


def _says_why(world: World, away: Away) -> None:
    """What needs the rendezvous cannot work, and its words say so."""
    at_box = world.box.ask("status")["rendezvous"]
    assert at_box["state"] != "connected" and "tries again by itself; devices that know it still find it" in at_box["text"], at_box
    until(lambda: "not reachable" in away.program.ask("status")["rendezvous"], "the laptop to say so", 60)
    window = world.box.ask("pair")
    newcomer = world.new_away("newcomer", port=8899)
    try:
        newcomer.program.call("pair", "--code", window["code"], "--rendezvous", away.program.ask("reach")["rendezvous"], "--pin", world.pin)
        raise AssertionError("a typed code cannot work without the rendezvous")
    except Refused as refused:
        assert "rendezvous" in refused.text, refused.text
    finally:
        newcomer.program.stop()
