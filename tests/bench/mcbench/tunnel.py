"""A device away on a tunnel beside a bare host on the same provider's network: join to first packet, leave to last.

    provider --- edge ---up0 box lan1--- eth0 room      (hearthcast-away in `room`)
                 edge ---up0 router2                    (a bare host: the kernel's own join)

The edge passes a group only where it was asked for, so a cold join is a whole one.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from hearthlab.namespace import Namespace
from hearthlab.player import Player
from hearthlab.program import Program, binaries
from hearthlab.service import ROOT
from hearthlab.waiting import until
from mclab.away import PORT as AWAY_PORT
from mclab.away import Away, channel_url, import_channels
from mclab.topology import SOURCES4, SOURCES6, Edge, MulticastTopology

from .capture import Capture
from .link import received_packets
from .peers import GROUP4, GROUP6
from .tool import Sender, binary, receive

PORT, TUNNEL_PORT = 5000, 4755
RATE, SIZE = 2000, 1316
QUIET_S = 0.6  # without a media packet: it has stopped
CYCLES = 10


class TunnelBed:
    """Raised anew for each round, with box and device paired."""

    def __init__(self, prefix: str, folder: Path) -> None:
        self.net = MulticastTopology(prefix, Edge.SNOOPING)
        self.folder = folder
        self._programs: list[Program] = []

    def up(self) -> None:
        self.net.up()
        # Large packets are cut up before they leave, as by an ordinary network card.
        for space, port in (("box", "lan1"), ("room", "eth0"), ("provider", "eth0"), ("box", "up0")):
            self.net[space].run("ethtool", "-K", port, "tx-udp-segmentation", "off", check=False)
        self.folder.mkdir(parents=True)
        self.folder.chmod(0o755)
        programs = binaries(ROOT, self.folder / "bin")
        box = Program(
            self.net["box"], programs / "hearthcast-box", self.folder / "box",
            {"name": "Home", "network": {"upstream_interface": "up0"}}, unprivileged=False,
        )
        self._programs.append(box)
        box.start()
        until(lambda: box.ask("status"), "the box's control socket")
        import_channels(box, self.folder, {
            "6": channel_url(GROUP6, SOURCES6[0], PORT), "4": channel_url(GROUP4, SOURCES4[0], PORT),
        })
        self.away = Away(self.net["room"], programs / "hearthcast-away", self.folder / "away")
        self._programs.append(self.away.program)
        self.away.pair(box)
        until(lambda: len(self.away.paths()) == 2, "the channels in the away playlist")

    def down(self) -> None:
        for program in reversed(self._programs):
            with contextlib.suppress(Exception):
                program.stop()
        self.net.down()

    def round_trip_ms(self) -> float:
        """Of the tunnel's path, without the tunnel."""
        text = self.net["room"].run("ping", "-c", "5", "-i", "0.2", "-q", "192.168.2.10")
        return float(text.rsplit("=", 1)[1].split("/")[1])

    def log(self) -> str:
        return "\n".join(program.log() for program in self._programs)


def measure(bed: TunnelBed, family: int) -> Iterator[tuple[str, float]]:
    """Names and values in ms, bare and tunnelled in turn."""
    source, group = (SOURCES4[0], GROUP4) if family == 4 else (SOURCES6[0], GROUP6)
    target = f"{group}:{PORT}" if family == 4 else f"[{group}]:{PORT}"
    sender = Sender(bed.net["provider"], target, source, "--rate", str(RATE), "--size", str(SIZE))
    try:
        for _ in range(CYCLES):
            _wait_until_shut(bed, group)
            bare = receive(bed.net["router2"], f"{source}@{target}", "--seconds", "10", "--count", "20", port="up0")
            if bare["join_to_first_ms"] is None:
                raise RuntimeError("a bare host got nothing")
            yield "bare_join_ms", bare["join_to_first_ms"]
            _wait_until_shut(bed, group)
            yield from _view(bed, family, "cold")
        with _flowing(bed.net["box"], f"{source}@{target}"):
            for _ in range(CYCLES):
                yield from _view(bed, family, "flowing")
    finally:
        sender.stop()


def _view(bed: TunnelBed, family: int, how: str) -> Iterator[tuple[str, float]]:
    """A player comes, gets something, and goes."""
    capture = Capture(bed.net["room"], "eth0", f"udp and src port {TUNNEL_PORT} and greater {SIZE}", bed.folder / "capture.pcap")
    path = bed.away.paths()[str(family)]
    player = Player(bed.net["room"], "127.0.0.1", AWAY_PORT, path)
    try:
        player.wait_for_octets(200 * SIZE, timeout=20)
        yield f"join_{how}_ms", (player.arrivals()[0][1] - player.requested_ns) / 1e6
    finally:
        # close() first waits for its reader's next look; shutting down is what the client sees.
        left_ns = player.leave()
        player.close()
    time.sleep(QUIET_S)
    frames = capture.stop()
    last = max(frame.time_ns for frame in frames)
    if time.time_ns() - last < QUIET_S * 0.5e9:
        raise RuntimeError("it does not stop")
    yield f"leave_{how}_ms", max(0.0, (last - left_ns) / 1e6)


@contextlib.contextmanager
def _flowing(space: Namespace, flow: str) -> Iterator[None]:
    """Another program on the box's machine listens, so that the provider sends there already."""
    command = [str(binary("hearthcast-mcast")), "receive", flow, "--interface", "up0", "--seconds", "0"]
    running = space.popen(command, stdout=subprocess.DEVNULL)
    try:
        before = received_packets(space, "up0")
        until(lambda: received_packets(space, "up0") > before + 500, "the channel at the box", timeout=20, pause=0.05)
        yield
    finally:
        running.terminate()
        running.wait(20)


def _wait_until_shut(bed: TunnelBed, group: str) -> None:
    """Until the edge has forgotten that anybody wanted the group."""
    edge = bed.net["edge"]

    def wanted() -> bool:
        shown = json.loads(edge.run("bridge", "-j", "mdb", "show", "dev", "edge"))
        return any(entry["grp"] == group and entry["port"] in ("home", "home2") for part in shown for entry in part.get("mdb", []))

    until(lambda: not wanted(), "the edge without the group", timeout=30, pause=0.05)
