"""Paths: how soon the first media come, directly and through the relay, what a relayed stream costs box and away, and how long
the picture is away when home or laptop moves.

In the lab, with real programs and a real channel, 50 ms from the laptop to everything: what ICE, the relay's allocation, the
key exchange and the join take together. The processor time is that of one stream of 8 Mbit/s without added delay. A move is over
when the player has a stream again that lasts; the laptop's other network, where it has IPv6, is without added delay.
Usage: paths_bench.py FOLDER [--rounds N] [--starts N] [--moves N] [--seconds S] [--only moves|idle|starts]
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / folder) for folder in ("bench", "lab", "lab/multicast")]

from hearthlab import moves, nat  # noqa: E402
from hearthlab.capture import Capture, fields  # noqa: E402
from hearthlab.channels import ONE  # noqa: E402
from hearthlab.film import RATE  # noqa: E402
from hearthlab.impairment import Impairment, Weather  # noqa: E402
from hearthlab.namespace import Namespace, prefix  # noqa: E402
from hearthlab.player import Player  # noqa: E402
from hearthlab.sites import give_access  # noqa: E402
from hearthlab.topology import HOME_WAN_IP4  # noqa: E402
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


class Mover:
    """One stream that runs while everything around it moves; how long it was away each time."""

    def __init__(self, world: World, laptop: Away, figures: Figures) -> None:
        self._world = world
        self._laptop = laptop
        self._figures = figures
        self._hotel = moves.Hotel(world.topology)
        self._ports = itertools.count(31001)
        self._player: Player

    def _sessions(self) -> tuple[int, int]:
        return self._laptop.program.log().count(" session_established "), self._world.box.log().count(" tunnel_opened ")

    def _back(self, move: Callable[[], object]) -> float:
        self._player.wait_for_more(int(RATE / 8))  # whole again after the last one
        before = self._sessions()
        back = moves.watch(self._player, move).back_s
        self._handshakes += self._sessions()[0] - before[0] + self._sessions()[1] - before[1]
        return back

    def _row(self, name: str, goal_s: float, rounds: int, *one_round: Callable[[], object]) -> None:
        print(name.replace("_", " "), flush=True)
        self._player = self._laptop.playing(ONE, FIRST_OCTETS)
        self._player.wait_for_more(int(RATE / 8 * 2))
        self._handshakes = 0
        took = [self._back(move) for _ in range(rounds) for move in one_round]
        self._player.close()
        self._figures.row(name, took, "s")
        self._figures.row(f"{name}_p95", [percentile(took, 0.95)], "s", goal=goal_s)
        self._figures.row(f"{name}_handshakes", [float(self._handshakes)], "", goal=0)

    def run(self, rounds: int) -> None:
        topology, hotel = self._world.topology, self._hotel
        addresses = itertools.cycle((3, 4, 5))
        self._row("home_moves", 3, rounds, lambda: moves.give_home_address(topology, next(addresses)))
        self._row("rebinding_home", 2, rounds, lambda: moves.rebind(topology["homenat"], next(self._ports)))
        self._row("rebinding_away", 2, rounds, lambda: moves.rebind(topology["awaynat"], next(self._ports)))
        self._row("away_moves", 3, -(-rounds // 2), self._as_a_stranger(hotel.router, hotel.enter),
                  self._as_a_stranger(topology["awaynat"], hotel.leave))
        moves.home_again(topology)
        moves.give_home_ip6(topology, firewall=False)
        until(lambda: any(moves.HOME_BOX_IP6 in told for told in self._laptop.program.ask("reach")["told"]), "the box's IPv6 address", 60)
        self._row("family_changes", 3, -(-rounds // 2), lambda: hotel.enter(ip6=True), hotel.leave)
        hotel.enter(ip6=True)
        numbers = itertools.count(0x21)
        self._row("box_renumbers", 1, rounds, lambda: moves.renumber_box(topology, next(numbers)))
        hotel.leave()

    def _as_a_stranger(self, router: Namespace, move: Callable[[], None]) -> Callable[[], None]:
        """Home's router has let in whoever comes back to a port that it knows: it is to be another one."""

        def moved() -> None:
            moves.rebind(router, next(self._ports))
            move()

        return moved


def silence(world: World, laptop: Away, figures: Figures, rounds: int) -> None:
    """From the last packet of a stream to the client's first check."""
    took = []
    ports = itertools.count(33001)
    for _ in range(rounds):
        player = laptop.playing(ONE, FIRST_OCTETS)
        player.wait_for_more(int(RATE / 8))
        pcap = world.folder / "silence.pcap"
        capture = Capture(world.topology["laptop"], "eth0", pcap)
        moves.watch(player, lambda: moves.rebind(world.topology["awaynat"], next(ports)))
        capture.stop()
        player.close()
        media = [float(row[0]) for row in fields(pcap, f"udp.length > 1000 && ip.src == {HOME_WAN_IP4}", "frame.time_epoch")]
        silent = max(zip(media, media[1:]), key=lambda pair: pair[1] - pair[0])[0]
        checks = [float(row[0]) for row in fields(pcap, f"stun.type == 1 && ip.dst == {HOME_WAN_IP4}", "frame.time_epoch")]
        took.append(min(check for check in checks if check > silent) - silent)
    figures.row("silence_until_a_check", [1000 * one for one in took], "ms")
    figures.row("silence_until_a_check_p95", [1000 * percentile(took, 0.95)], "ms", goal=250)


def idle(world: World, laptop: Away, figures: Figures, minutes: float) -> None:
    """What a box says that nobody watches, behind a NAT that keeps a mapping for 30 s and then gives another port."""
    for name, connected in (("connected", True), ("alone", False)):
        print(f"idle: {name}", flush=True)
        laptop.program.stop()
        world.box.stop()
        give_access(world.topology, home="symmetric", away="full-cone")
        world.topology["homenat"].sysctl({f"netfilter/nf_conntrack_udp_timeout{kind}": 30 for kind in ("", "_stream")})
        world.box.start()
        world.wait_for_rendezvous(world.box)
        laptop.program.start()
        laptop.playing(ONE, FIRST_OCTETS).close()
        if not connected:
            laptop.program.stop()
            until(lambda: not world.box.ask("devices")["devices"][0]["connected"], "the box alone", 60)
        time.sleep(45)  # the channel is left, consent has ended
        mapped = world.box.log().count(" mapping ")
        pcap = world.folder / "idle.pcap"
        capture = Capture(world.topology["homenat"], "wan", pcap)
        time.sleep(60 * minutes)
        capture.stop()
        sent = len(fields(pcap, f"ip.src == {HOME_WAN_IP4}", "frame.number")) / minutes
        datagrams = len(fields(pcap, f"ip.src == {HOME_WAN_IP4} && udp", "frame.number")) / minutes
        figures.row(f"idle_{name}", [sent], "packets/min", goal=None if connected else 10)
        figures.row(f"idle_{name}_datagrams", [datagrams], "datagrams/min", goal=10)
        figures.row(f"idle_{name}_mappings_lost", [float(world.box.log().count(" mapping ") - mapped)], "", goal=0)


def measure(options: argparse.Namespace) -> Figures:
    figures = Figures("paths")
    figures.notes["load"] = " ".join(f"{value:.1f}" for value in os.getloadavg())
    world = World(prefix(f"hc-pb{os.getpid()}-"), relay=True)
    try:
        world.up()
        laptop = world.new_away("away")
        world.approve(world.pair(laptop))
        if options.only in (None, "starts"):
            starts(world, laptop, figures, options)
        travel(world, laptop, WAYS[0])
        laptop.program.start()
        if options.only in (None, "moves"):
            if options.only:
                Impairment(world.topology, world.folder / "weather.json", Weather(delay_ms=25))
            silence(world, laptop, figures, options.moves)
            Mover(world, laptop, figures).run(options.moves)
        if options.only in (None, "idle"):
            idle(world, laptop, figures, options.minutes)
        return figures
    finally:
        world.down()


def starts(world: World, laptop: Away, figures: Figures, options: argparse.Namespace) -> None:
    """Processor time, and the first media."""
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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--starts", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--moves", type=int, default=20, help="of each kind")
    parser.add_argument("--minutes", type=float, default=2, help="that the box is idle")
    parser.add_argument("--only", choices=("starts", "moves", "idle"))
    options = parser.parse_args()
    figures = measure(options)
    print(figures.text())
    figures.write(options.folder)
    return 0 if figures.all_met() else 1


if __name__ == "__main__":
    sys.exit(main())
