"""The box's LAN relay: CPU for each gigabyte at 1, 4 and 16 players of 8 Mbit/s, first octet, and entry picture.

In the lab's network, with the provider's real channels, in turn in one run with: a floor of our own, which writes its players
what came every 40 ms as the box does, and one that writes each datagram when it comes (mcbench.http_relay.floors); the away
client with players of its own, over its tunnel; and udpxy and msd_lite, where they are installed. Debian 12 has neither, so
UDPXY and MSD_LITE may name programs that were built elsewhere; without them their figures from a machine like this one are the
goal. Usage: relay_bench.py FOLDER [--rounds N] [--seconds S] [--only NAME,...]
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / folder) for folder in ("bench", "lab", "lab/multicast")]

from hearthlab.channels import TWO  # noqa: E402
from hearthlab.film import RATE  # noqa: E402
from hearthlab.lan import LAN_PORT, LanLink, sockets_of  # noqa: E402
from hearthlab.namespace import prefix  # noqa: E402
from hearthlab.topology import BOX_IP4  # noqa: E402
from hearthlab.waiting import until  # noqa: E402
from hearthlab.world import AWAY_PORT, Away, World  # noqa: E402
from mcbench.figures import Figures  # noqa: E402
from mcbench.http_relay import Crowd, Pids, Relay, cpu_seconds, first_octets, floors, peers  # noqa: E402

CROWDS = (1, 4, 16)
ZAPS = ("first_octet_warm_ms", "picture_warm_ms", "first_octet_cold_ms", "picture_cold_ms")
# Of msd_lite and udpxy on a machine like this one, same rate, CPU-seconds for each GB: the upper end of what was seen.
MSD_LITE = {1: 10.0, 4: 3.0, 16: 0.9}
FIRST_OCTET_MS = 2.0  # udpxy's
PICTURE_MS = 300.0
AFTERMATH_S = 30  # of pairing: until the box looks no longer for the client that has left


class Run:
    def __init__(self, world: World, seconds: float) -> None:
        self.world = world
        self.seconds = seconds
        self.samples: dict[tuple[str, str], list[float]] = defaultdict(list)

    def round(self, relay: Relay) -> None:
        with relay.running() as pids:
            for count in CROWDS:
                with Crowd(relay, count) as crowd:
                    self._crowd(relay, crowd, count, pids)
                    if count == CROWDS[0] and relay.zaps:
                        for _ in range(5):
                            self._zap(relay, "warm")
            for _ in range(3 if relay.zaps else 0):
                until(lambda: sockets_of(self.world, TWO) == 0, f"{relay.name} leaving the channel", 30)
                time.sleep(0.5)
                self._zap(relay, "cold")

    def _crowd(self, relay: Relay, crowd: Crowd, count: int, pids: Pids) -> None:
        """A stretch in which others kept the machine from its work is measured once more."""
        crowd.settle()
        for _ in range(3):
            before, octets, begin = cpu_seconds(pids()), crowd.octets(), time.monotonic()
            time.sleep(self.seconds)
            used, got, took = cpu_seconds(pids()) - before, crowd.octets() - octets, time.monotonic() - begin
            expected = count * RATE / 8 * took
            if 0.9 < got / expected < 1.1:
                self.samples[relay.name, f"cpu_s_per_gb_{count}"].append(used / (got / 1e9))
                return
            print(f"{relay.name}, {count} players: {got} octets of {expected:.0f}; once more", flush=True)
        raise RuntimeError(f"{relay.name} does not bring {count} players the whole channel")

    def _zap(self, relay: Relay, how: str) -> None:
        first, picture = first_octets(relay)
        self.samples[relay.name, f"first_octet_{how}_ms"].append(first)
        self.samples[relay.name, f"picture_{how}_ms"].append(picture)


def goals(what: str) -> dict[str, float]:
    if what.startswith("cpu_s_per_gb_"):
        return {"goal": MSD_LITE[int(what.rsplit("_", 1)[1])]}
    return {"first_octet_warm_ms": {"goal": FIRST_OCTET_MS}, "picture_warm_ms": {"goal": PICTURE_MS}}.get(what, {})


def report(run: Run, relays: list[Relay]) -> Figures:
    figures = Figures("relay")
    figures.notes["network"] = "veth and bridges, one channel of 8 Mbit/s over IPv4, provider, box and players on the same cores"
    figures.notes["peers"] = ", ".join(relay.version for relay in relays if relay.name in ("udpxy", "msd_lite")) or (
        "none: Debian 12 has neither udpxy nor msd_lite; goals are msd_lite's and udpxy's figures from a machine like this one"
    )
    figures.notes["load"] = " ".join(f"{value:.1f}" for value in os.getloadavg())
    costs = [f"cpu_s_per_gb_{count}" for count in CROWDS]
    for what in (*costs, *ZAPS):
        for relay in relays:
            if what in ZAPS and not relay.zaps:
                continue
            goal = goals(what) if relay.name == "hearthcast" else {}
            beside = run.samples.get(("msd_lite", what))
            if goal and beside and what in costs:
                goal = {"goal": statistics.median(beside)}  # the same run's word counts more
            unit = "s/GB" if what in costs else "ms"
            figures.row(f"{relay.name}_{what}", run.samples[relay.name, what], unit, **goal)
    for what in costs:
        own, least = run.samples.get(("hearthcast", what)), run.samples.get(("floor", what))
        if own and least:
            figures.row(f"hearthcast_over_floor_{what.rsplit('_', 1)[1]}", [a / b for a, b in zip(own, least)], "ratio")
    return figures


def over_tunnel(laptop: Away, path: str) -> Relay:
    @contextlib.contextmanager
    def running() -> Iterator[Pids]:
        laptop.program.start()
        try:
            until(lambda: laptop.program.ask("status")["state"] == "connected", "the client to find its box")
            yield lambda: [laptop.program.supervisor.pid]
        finally:
            laptop.program.stop()  # its tunnel would be work of the box, too

    return Relay("away", laptop.space, "127.0.0.1", AWAY_PORT, path, running, "away", zaps=False)


def relays_of(world: World) -> list[Relay]:
    laptop = world.new_away("away")
    device = world.pair(laptop)
    world.approve(device)
    away = over_tunnel(laptop, laptop.path_of(TWO))
    laptop.program.stop()
    link = LanLink(world, device)
    at_box: Pids = lambda: [world.box.supervisor.pid]  # noqa: E731
    box = Relay("hearthcast", link.space, BOX_IP4, LAN_PORT, link.path_of(TWO), lambda: contextlib.nullcontext(at_box), "hearthcast")
    inside = world.topology["box"]
    return [
        box, *floors(inside, link.space, BOX_IP4, TWO), away, *peers(inside, link.space, world.folder, BOX_IP4, TWO),
    ]


def measure(options: argparse.Namespace) -> Figures:
    world = World(prefix(f"hc-rb{os.getpid()}-"))
    try:
        world.up()
        relays = [relay for relay in relays_of(world) if not options.only or relay.name in options.only.split(",")]
        run = Run(world, options.seconds)
        time.sleep(AFTERMATH_S)
        for number in range(options.rounds):
            for relay in relays:
                print(f"round {number + 1} of {options.rounds}: {relay.name}", flush=True)
                run.round(relay)
        return report(run, relays)
    except Exception:
        print(world.logs(), file=sys.stderr)
        raise
    finally:
        world.down()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--only", default="", help="some of: hearthcast,floor,floor_each,away,udpxy,msd_lite")
    options = parser.parse_args()
    figures = measure(options)
    print(figures.text())
    figures.write(options.folder)
    return 0 if figures.all_met() else 1


if __name__ == "__main__":
    sys.exit(main())
