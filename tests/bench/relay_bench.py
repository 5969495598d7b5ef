"""The box's LAN relay: CPU for each gigabyte at 1, 4 and 16 players of 8 Mbit/s, first octet, and entry picture.

In the lab's network, with the provider's real channels. udpxy and msd_lite are measured beside it, in turn in one run, where
they are installed: Debian 12 has neither, so UDPXY and MSD_LITE may name programs that were built elsewhere; without them
their figures from a machine like this one are the goal. Usage: relay_bench.py FOLDER [--rounds N] [--seconds S]
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / folder) for folder in ("bench", "lab", "lab/multicast")]

from hearthlab.channels import TWO  # noqa: E402
from hearthlab.film import RATE  # noqa: E402
from hearthlab.lan import LAN_PORT, LanLink, sockets_of  # noqa: E402
from hearthlab.namespace import prefix  # noqa: E402
from hearthlab.topology import BOX_IP4  # noqa: E402
from hearthlab.waiting import until  # noqa: E402
from hearthlab.world import World  # noqa: E402
from mcbench.figures import Figures  # noqa: E402
from mcbench.http_relay import Crowd, Relay, cpu_seconds, first_octets, peers  # noqa: E402

CROWDS = (1, 4, 16)
# Of msd_lite and udpxy on a machine like this one, same rate, CPU-seconds for each GB: the upper end of what was seen.
MSD_LITE = {1: 10.0, 4: 3.0, 16: 0.9}
FIRST_OCTET_MS = 2.0  # udpxy's
PICTURE_MS = 300.0


class Run:
    def __init__(self, world: World, seconds: float) -> None:
        self.world = world
        self.seconds = seconds
        self.samples: dict[tuple[str, str], list[float]] = defaultdict(list)

    def round(self, relay: Relay) -> None:
        add = lambda what, value: self.samples[relay.name, what].append(value)  # noqa: E731
        space = self.world.topology["homepc"]
        for count in CROWDS:
            with Crowd(space, relay, count) as crowd:
                crowd.settle()
                before, octets = cpu_seconds(relay.pids()), crowd.octets()
                time.sleep(self.seconds)
                used, got = cpu_seconds(relay.pids()) - before, crowd.octets() - octets
                expected = count * RATE / 8 * self.seconds
                if not 0.9 < got / expected < 1.1:
                    raise RuntimeError(f"{relay.name}, {count} players: {got} octets of {expected:.0f}")
                add(f"cpu_s_per_gb_{count}", used / (got / 1e9))
                if count == CROWDS[0]:
                    for _ in range(3):
                        first, picture = first_octets(space, relay)
                        add("first_octet_warm_ms", first)
                        add("picture_warm_ms", picture)
        for _ in range(3):
            until(lambda: sockets_of(self.world, TWO) == 0, f"{relay.name} leaving the channel", 30)
            time.sleep(0.5)
            first, picture = first_octets(space, relay)
            add("first_octet_cold_ms", first)
            add("picture_cold_ms", picture)


def goals(what: str) -> dict[str, float]:
    if what.startswith("cpu_s_per_gb_"):
        return {"goal": MSD_LITE[int(what.rsplit("_", 1)[1])]}
    return {"first_octet_warm_ms": {"goal": FIRST_OCTET_MS}, "picture_warm_ms": {"goal": PICTURE_MS}}.get(what, {})


def report(run: Run, relays: list[Relay]) -> Figures:
    figures = Figures("relay")
    figures.notes["network"] = "veth and bridges, one channel of 8 Mbit/s over IPv4, provider, box and players on the same cores"
    figures.notes["peers"] = ", ".join(relay.version for relay in relays if relay.name != "hearthcast") or (
        "none: Debian 12 has neither udpxy nor msd_lite; goals are msd_lite's and udpxy's figures from a machine like this one"
    )
    figures.notes["load"] = " ".join(f"{value:.1f}" for value in os.getloadavg())
    whats = [f"cpu_s_per_gb_{count}" for count in CROWDS]
    whats += ["first_octet_warm_ms", "picture_warm_ms", "first_octet_cold_ms", "picture_cold_ms"]
    for what in whats:
        for relay in relays:
            goal = goals(what) if relay.name == "hearthcast" else {}
            beside = [run.samples[other.name, what] for other in relays if other.name == "msd_lite"]
            if goal and beside and what.startswith("cpu"):
                goal = {"goal": statistics.median(beside[0])}  # the same run's word counts more
            unit = "s/GB" if what.startswith("cpu") else "ms"
            figures.row(f"{relay.name}_{what}", run.samples[relay.name, what], unit, **goal)
    return figures


def measure(options: argparse.Namespace) -> Figures:
    world = World(prefix(f"hc-rb{os.getpid()}-"))
    try:
        world.up()
        laptop = world.new_away("away")
        device = world.pair(laptop)
        world.approve(device)
        laptop.program.stop()  # its tunnel would be work of the box, too
        link = LanLink(world, device)
        box = Relay("hearthcast", BOX_IP4, LAN_PORT, link.path_of(TWO), lambda: [world.box.supervisor.pid], "hearthcast")
        relays = [box, *peers(world.topology["box"], world.folder, BOX_IP4, TWO)]
        run = Run(world, options.seconds)
        stop: list[Callable[[], None]] = [relay.stop for relay in relays]
        try:
            for number in range(options.rounds):
                for relay in relays:
                    print(f"round {number + 1} of {options.rounds}: {relay.name}", flush=True)
                    run.round(relay)
        finally:
            for end in stop:
                end()
        return report(run, relays)
    finally:
        world.down()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=8)
    options = parser.parse_args()
    threading.current_thread().name = "bench"
    figures = measure(options)
    print(figures.text())
    figures.write(options.folder)
    return 0 if figures.all_met() else 1


if __name__ == "__main__":
    sys.exit(main())
