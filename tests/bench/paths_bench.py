"""Paths: how soon the first media come, directly and through the relay, and what a relayed stream costs box and away.

In the lab, with real programs and a real channel, 50 ms from the laptop to everything: what ICE, the relay's allocation, the
key exchange and the join take together. The processor time is that of one stream of 8 Mbit/s without added delay.
Usage: paths_bench.py FOLDER [--rounds N] [--seconds S]
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / folder) for folder in ("bench", "lab", "lab/multicast")]

from hearthlab.channels import ONE  # noqa: E402
from hearthlab.film import RATE  # noqa: E402
from hearthlab.impairment import Impairment, Weather  # noqa: E402
from hearthlab.namespace import prefix  # noqa: E402
from hearthlab.sites import give_access  # noqa: E402
from hearthlab.waiting import until  # noqa: E402
from hearthlab.world import Away, World  # noqa: E402
from mcbench.figures import Figures, percentile  # noqa: E402
from mcbench.http_relay import cpu_seconds  # noqa: E402

FIRST_OCTETS = 100_000  # about 0.1 s of the channel: a whole picture


@dataclass(frozen=True)
class Way:
    name: str
    home: str
    away: str
    transport: str | None  # to the relay; None: direct
    goal_ms: float
    worst_ms: float | None = None  # of 95 in a hundred


WAYS = (
    Way("direct", "port-restricted", "port-restricted", None, 500, 1000),
    Way("relayed_udp", "symmetric", "symmetric", "udp", 1500),
    Way("relayed_tls", "port-restricted", "udp-blocked", "tls", 3000),
)
CPU_GOAL = 1.3  # of a relayed stream over UDP, against a direct one


def travel(world: World, laptop: Away, way: Way) -> None:
    """Both programs anew, in such networks; they know each other."""
    laptop.program.stop()
    world.box.stop()
    give_access(world.topology, home=way.home, away=way.away)
    world.box.start()
    world.wait_for_rendezvous(world.box)


def check(laptop: Away, way: Way) -> None:
    path = laptop.program.ask("status")["path"]
    if path.get("transport") != way.transport:
        raise RuntimeError(f"{way.name} is not what was measured: {path}")


def first_media_ms(laptop: Away, way: Way) -> float:
    """From the start of the client until a player has the beginning of the picture."""
    laptop.program.stop()
    time.sleep(2)  # coturn keeps for a second what was given back, and refuses meanwhile
    started = time.monotonic()
    laptop.program.start()
    player = laptop.playing(ONE, FIRST_OCTETS, timeout=60)
    took = (time.monotonic() - started) * 1000
    player.close()
    check(laptop, way)
    return took


def processor(world: World, laptop: Away, way: Way, seconds: float) -> tuple[float, float]:
    """Seconds of box and away for a gigabyte that was played."""
    laptop.program.start()
    player = laptop.playing(ONE, FIRST_OCTETS, timeout=60)
    if way.transport is None:
        until(lambda: "transport" not in laptop.program.ask("status")["path"], "a direct path", 60)
    check(laptop, way)
    player.wait_for_more(int(RATE / 8 * 2))
    before = [cpu_seconds([program.supervisor.pid]) for program in (world.box, laptop.program)]
    octets = len(player.data())
    time.sleep(seconds)
    used = [cpu_seconds([program.supervisor.pid]) for program in (world.box, laptop.program)]
    got = len(player.data()) - octets
    player.close()
    if not 0.9 < got / (RATE / 8 * seconds) < 1.1:
        raise RuntimeError(f"{way.name}: {got} octets in {seconds} s")
    box, away = ((after - at_first) / (got / 1e9) for after, at_first in zip(used, before, strict=True))
    return box, away


def measure(options: argparse.Namespace) -> Figures:
    figures = Figures("paths")
    figures.notes["load"] = " ".join(f"{value:.1f}" for value in os.getloadavg())
    world = World(prefix(f"hc-pb{os.getpid()}-"), relay=True)
    try:
        world.up()
        laptop = world.new_away("away")
        world.approve(world.pair(laptop))
        costs: dict[str, list[tuple[float, float]]] = {way.name: [] for way in WAYS}
        for _ in range(options.rounds):
            for way in WAYS:
                print(f"processor: {way.name}", flush=True)
                travel(world, laptop, way)
                costs[way.name].append(processor(world, laptop, way, options.seconds))
        Impairment(world.topology, world.folder / "weather.json", Weather(delay_ms=25))
        for way in WAYS:
            print(f"first media: {way.name}", flush=True)
            travel(world, laptop, way)
            first_media_ms(laptop, way)  # they know each other from then on
            took = [first_media_ms(laptop, way) for _ in range(options.starts)]
            figures.row(f"first_media_{way.name}", took, "ms", goal=way.goal_ms)
            if way.worst_ms:
                figures.row(f"first_media_{way.name}_p95", [percentile(took, 0.95)], "ms", goal=way.worst_ms)
        for number, end in enumerate(("box", "away")):
            for way in WAYS:
                figures.row(f"cpu_{end}_{way.name}", [cost[number] for cost in costs[way.name]], "s/GB")
            ratios = [one[number] / other[number] for one, other in zip(costs["relayed_udp"], costs["direct"], strict=True)]
            figures.row(f"cpu_{end}_relayed_udp_over_direct", ratios, "x", goal=CPU_GOAL)
        return figures
    finally:
        world.down()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--starts", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=10)
    options = parser.parse_args()
    figures = measure(options)
    print(figures.text())
    figures.write(options.folder)
    return 0 if figures.all_met() else 1


if __name__ == "__main__":
    sys.exit(main())
