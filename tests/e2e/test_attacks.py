"""Who floods the box's port, or the rendezvous, costs a stream that runs nothing that its viewer sees, and the attacked little."""

from __future__ import annotations

import json
import os
import random
import struct
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hearthlab.channels import ONE
from hearthlab.comparison import Comparison, compare
from hearthlab.flood import Flood, Result
from hearthlab.player import Player
from hearthlab.topology import BOX_IP4, RENDEZVOUS_IP4
from hearthlab.waiting import until
from hearthlab.world import Away, World

PROGRAMS = Path(__file__).resolve().parents[1] / "programs"
sys.path.insert(0, str(PROGRAMS))

from dtls import client_hello, dear_client_hello, hello_verify_request  # noqa: E402
from enrolments import ENROLLED  # noqa: E402

TUNNEL_PORT = 4755
MEGABYTE = 1_000_000  # a second of a channel
COUNT, A_SECOND = 24_000, 2000  # of the flood's datagrams
ROUNDS = 4


def guessed_check(chance: random.Random) -> bytes:
    """A connectivity check as it should be, but for the name and the password."""
    user = f"{chance.randbytes(4).hex()}:{chance.randbytes(4).hex()}".encode()
    body = struct.pack("!HH", 0x0006, len(user)) + user + bytes(-len(user) % 4) + struct.pack("!HHI", 0x0024, 4, 0x6E0001FF)
    body += struct.pack("!HH", 0x0008, 20) + chance.randbytes(20)
    head = struct.pack("!HHI", 1, len(body) + 8, 0x2112A442) + chance.randbytes(12)
    return head + body + struct.pack("!HHI", 0x8028, 4, zlib.crc32(head + body) ^ 0x5354554E)


def hostile(chance: random.Random) -> bytes:
    return chance.choice([
        client_hello, dear_client_hello, lambda: guessed_check(chance), lambda: hello_verify_request(chance.randbytes(20)),
        lambda: bytes([chance.randrange(20, 64)]) + b"\xfe\xfd" + chance.randbytes(60),  # records of any type and epoch
        lambda: b"\x17\xfe\xfd\0\1" + chance.randbytes(8) + b"\x04\xb0" + chance.randbytes(1200),  # as media are
        lambda: chance.randbytes(chance.randrange(1, 1200)),
    ])()


def processor_time(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096


def stream(away: Away) -> dict[str, Any]:
    return until(lambda: next((s for s in away.program.ask("status")["streams"] if s["players"] > 0), None), "the figures", 30)


def address_of_device(world: World) -> str | None:
    return next((device["address"] for device in world.box.ask("devices")["devices"] if device.get("address")), None)


def drops(world: World) -> dict[str, int]:
    return dict(world.box.ask("status")["tunnel_port"]["drops"])


@dataclass
class Viewing:
    """What a viewer had of a channel meanwhile, and what that cost the box."""

    film: Comparison | None = None
    packets: int = 0
    damaged: int = 0  # of them, lost on the way or sent again
    processor: float = 0  # seconds

    @property
    def loss(self) -> float:
        assert self.film is not None
        return max(self.film.lost / (self.film.received + self.film.lost), self.damaged / self.packets)


@contextmanager
def viewing(world: World, away: Away) -> Iterator[tuple[Viewing, Player]]:
    """The film is looked at from two seconds before the block to two seconds after it, the rest as long as the block."""
    seen, pid = Viewing(), world.box.supervisor.pid
    until(lambda: not away.program.ask("status")["streams"], "the end of the former viewing", 30)
    player = away.playing(ONE)
    try:
        player.wait_for_more(2 * MEGABYTE)
        before, busy = stream(away), processor_time(pid)
        yield seen, player
        seen.processor = processor_time(pid) - busy
        after = stream(away)
        player.wait_for_more(2 * MEGABYTE)
        assert world.box.supervisor.pid == pid
        seen.film = compare(world.service.film(ONE), player.data())
        assert seen.film.strange == 0
        seen.packets = after["packets"] - before["packets"]
        assert seen.packets > 3000  # of some 4,560; the client's figures are up to a second old
        seen.damaged = after["lost"] - before["lost"] + after["repaired"] - before["repaired"]
    finally:
        player.close()


def attacked(world: World, away: Away, attack: Callable[[], None]) -> tuple[Viewing, Viewing]:
    """A stream without and with the attack: less than one percent of it is lost.

    A machine that is busy with other things can keep the box from its processor for longer than the five seconds of a
    channel that its buffers hold, and then loses without any attack, too. So each round begins with a stretch without one,
    and a round whose quiet stretch lost as much says nothing."""
    for number in range(ROUNDS):
        with viewing(world, away) as (quiet, player):
            player.wait_for_more(6 * MEGABYTE)
        with viewing(world, away) as (seen, player):
            begin = player.octets()
            attack()
            player.wait_for_octets(begin + 6 * MEGABYTE)  # what an attack that was soon over leaves behind, too
        print(f"round {number}:\n  quiet {quiet}\n  attacked {seen}")
        if seen.loss < 0.01 or quiet.loss < 0.01:
            break
    assert seen.loss < 0.01, (seen, quiet)
    return quiet, seen


@pytest.mark.parametrize("name", ["strangers", "the viewer"])
def test_a_flood_costs_a_stream_less_than_one_percent(world: World, away: Away, name: str) -> None:
    """In fifty strangers' names, or forged in that of the viewer itself, whose address and port are known to the attacker."""
    chance = random.Random(5)
    datagrams = [hostile(chance) for _ in range(4000)]
    pid = world.box.supervisor.pid
    resident, before = memory(pid), drops(world)
    floods: list[Result] = []

    def flood() -> None:
        source = until(lambda: address_of_device(world), "the viewer's address") if name == "the viewer" else None
        flood = Flood(
            world.topology["homepc"], (BOX_IP4, TUNNEL_PORT), datagrams, world.folder, count=COUNT, a_second=A_SECOND, source=source,
        )
        try:
            floods.append(flood.run())
        finally:
            flood.end()

    quiet, seen = attacked(world, away, flood)
    last, sent = floods[-1], sum(flood.sent for flood in floods)
    assert last.sent > COUNT * 0.9
    assert not any(flood.came for flood in floods)
    cost = (seen.processor - quiet.processor / quiet.packets * seen.packets) / last.sent  # seconds a datagram
    assert cost < 0.00025, f"{cost * 1e6:.0f} us a datagram"
    assert memory(pid) < resident + (24 << 20)

    def dropped() -> dict[str, int]:
        return {reason: count - before[reason] for reason, count in drops(world).items() if count > before[reason]}

    if name == "strangers":  # each of theirs is accounted for
        until(lambda: sum(dropped().values()) >= sent * 0.99, "the reason of each drop", 30)
        if last.sent / last.seconds > A_SECOND / 2:
            assert dropped().keys() & {"over_budget", "crowded"}
    else:
        until(lambda: dropped().keys() >= {"rejected", "handshake_too_many"}, "the reasons of drops", 30)
    print(f"{cost * 1e6:.0f} us a datagram, {last}, dropped {dropped()}")


def test_a_flood_of_enrolments_costs_a_stream_nothing(world: World, away: Away) -> None:
    """Twelve sources enrol forty boxes each, all at once, at the rendezvous that box and viewer are connected to."""
    sources = [f"198.18.{number}.1" for number in range(1, 13)]
    internet, pid = world.topology["internet"], world.rendezvous.supervisor.pid
    internet.ip(*(f"address add {source}/32 dev lo" for source in sources))
    resident, outcomes = memory(pid), []

    def flood() -> None:
        told = internet.run(sys.executable, str(PROGRAMS / "enrolments.py"), RENDEZVOUS_IP4, "443", "40", *sources, timeout=300)
        outcomes.append(json.loads(told))

    try:
        _, seen = attacked(world, away, flood)
    finally:
        internet.ip(*(f"address del {source}/32 dev lo" for source in sources))
    print(outcomes, seen)
    assert outcomes[0].get(ENROLLED, 0) > 100, "it was a flood"
    assert sum(outcome.get(ENROLLED, 0) for outcome in outcomes) <= 20 * len(sources), "of one source in an hour"
    assert world.rendezvous.ask("status")["enrolled_boxes"] <= 20 * len(sources) + 1
    assert memory(pid) < resident + (48 << 20)
    assert world.rendezvous.supervisor.pid == pid
    World.wait_for_rendezvous(world.box)
