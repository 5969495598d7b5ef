"""A large house: 50 devices in tunnels of their own want 1,000 groups from 10 sources each, of one running box.

    provider end0 ---- up0 box lan0 ---- eth0 swarm      (tunnel_swarm: 50 clients in one process)

Nobody sends: what is measured is the box's state, its queries and their answers, and its joins upstream.
"""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hearthlab import control
from hearthlab.namespace import Namespace, existing
from hearthlab.program import Program, binaries
from hearthlab.service import ROOT
from hearthlab.topology import SYSCTLS
from hearthlab.waiting import until

from .link import ready
from .tool import CpuMeter, binary, resident_bytes

DEVICES, GROUPS, SOURCES, PORT = 50, 20, 10, 5000  # groups of each device
ALL = DEVICES * GROUPS * SOURCES
STEADY_S, STORM_S, RATE = 30, 10, 10_000


def group(number: int) -> str:
    return f"ff3e::8000:{number:x}"


def source(number: int) -> str:
    return f"2001:db8:64::1:{number:x}" if number else "2001:db8:64::1:0"


def overflows(snmp: str) -> int:
    """UDP datagrams that no receive buffer had room for."""
    names, values = (line.split()[1:] for line in snmp.splitlines() if line.startswith("Udp:"))
    return int(dict(zip(names, values))["RcvbufErrors"])


@dataclass
class House:
    prefix: str
    folder: Path
    spaces: dict[str, Namespace] = field(init=False)

    def __post_init__(self) -> None:
        self.spaces = {name: Namespace(self.prefix, name) for name in ("provider", "box", "swarm")}
        self._swarm: subprocess.Popen[str] | None = None

    def up(self) -> None:
        for full_name in existing(self.prefix):
            Namespace("", full_name).remove()
        for space in self.spaces.values():
            space.create(SYSCTLS)
        provider, box, swarm = self.spaces.values()
        box.ip(
            f"link add up0 type veth peer name end0 netns {provider.full_name}",
            f"link add lan0 type veth peer name eth0 netns {swarm.full_name}",
            "address add 2001:db8:64::2/64 dev up0 nodad", "address add 192.168.1.1/24 dev lan0",
            "link set up0 up", "link set lan0 up",
        )
        provider.ip("link set end0 up")
        swarm.ip("address add 192.168.1.20/24 dev eth0", "link set eth0 up")
        until(lambda: ready(box, "up0"), "the box's link-local address", timeout=20, pause=0.02)
        self.folder.mkdir(parents=True)
        self.folder.chmod(0o755)
        instance = {"name": "tv", "upstream": ["up0"], "downstream": ["lan0"], "tunnels": "chosen", "max_groups": 2000}
        self.box = Program(
            box, binaries(ROOT, self.folder / "bin") / "hearthcast-box", self.folder / "box",
            {"name": "Home", "network": {"upstream_interface": "up0"}, "multicast": [instance]}, unprivileged=False,
        )
        self.box.start()
        until(lambda: self.ask("GET", "/status"), "the box's control socket")
        playlist = self.folder / "playlist.m3u"
        urls = [f"udp://[{source(s)}]@[{group(g)}]:{PORT}" for g in range(DEVICES * GROUPS) for s in range(SOURCES)]
        playlist.write_text("#EXTM3U\n" + "".join(f"#EXTINF:-1,{n}\n{url}\n" for n, url in enumerate(urls)), encoding="utf-8")
        self.box.call("import", str(playlist))

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        return control.ask(self.box.control_socket, method, f"/api/v1{path}", body)

    def pair_all(self) -> None:
        """Makes the swarm's devices ones that were paired long ago, each with the right to its own groups. By writing them
        where the box keeps such things, since it pairs no more than a few in an hour."""
        command = self.spaces["swarm"].command(str(binary("tunnel_swarm")), str(DEVICES), str(GROUPS), str(SOURCES))
        self._swarm = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        keys = [bytes.fromhex(key) for key in self.command("keys").split()]
        channels = sorted(self.ask("GET", "/channels")["channels"], key=lambda channel: int(channel["name"]))
        columns = "id, identity, public_key, name, state, grants_all, revision"
        self.box.stop()
        with contextlib.closing(sqlite3.connect(self.box.state / "box.sqlite")) as database, database:
            for at, key in enumerate(keys):
                device = (at + 1, hashlib.sha256(key).digest(), key, f"device {at}", "approved", 0, 1)
                database.execute(f"INSERT INTO device ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?)", device)
                own = channels[at * GROUPS * SOURCES : (at + 1) * GROUPS * SOURCES]
                database.executemany("INSERT INTO device_grant (device, channel) VALUES (?, ?)", [(at + 1, channel["id"]) for channel in own])
            database.executemany(
                "INSERT OR REPLACE INTO setting VALUES (?, ?)",
                [("next_device_id", str(DEVICES + 1)), ("device_list_revision", str(DEVICES + 1))],
            )
        self.box.start()
        until(lambda: len(self.ask("GET", "/devices")["devices"]) == DEVICES, "the devices")
        private = serialization.load_pem_private_key((self.box.state / "identity.pem").read_bytes(), None)
        self._key = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def connect(self) -> None:
        if (answer := self.command(f"connect 192.168.1.1 4755 {self._key.hex()}")) != "connected":
            raise RuntimeError(f"the swarm: {answer}")

    def command(self, line: str, timeout: float = 120) -> str:
        assert self._swarm is not None and self._swarm.stdin is not None and self._swarm.stdout is not None
        self._swarm.stdin.write(line + "\n")
        self._swarm.stdin.flush()
        return self._swarm.stdout.readline().strip()

    def held(self) -> dict[str, int]:
        """(group, source) pairs: as the tunnels' routers have them, as merged, and as the kernel joined them upstream."""
        shown = self.ask("GET", "/multicast")
        tunnels = sum(
            len(entry["source"]) for tunnel in shown["tunnel"] for family in tunnel["families"] for entry in family["group"]
        )
        merged = sum(len(entry["source_address"]) for instance in shown["instance"] for entry in instance["group"])
        return {"tunnels": tunnels, "merged": merged, "kernel": self.joined()}

    def joined(self) -> int:
        """What the kernel has joined upstream; asking costs the box nothing."""
        with self.spaces["box"].entered():
            return len(Path("/proc/thread-self/net/mcfilter6").read_text(encoding="ascii").splitlines()) - 1

    def drops(self) -> int:
        """Reports that the box lost because it did not keep up: between its threads, or in the kernel before it read them."""
        with self.spaces["box"].entered():
            unread = overflows(Path("/proc/thread-self/net/snmp").read_text(encoding="ascii"))
        return unread + int(self.ask("GET", "/status")["tunnel_port"]["drops"]["queue_full"])

    @property
    def pid(self) -> int:
        return self.box.supervisor.pid

    def down(self) -> None:
        if self._swarm is not None:
            self._swarm.kill()
            self._swarm.wait()
        with contextlib.suppress(Exception):
            self.box.stop()
        for full_name in existing(self.prefix):
            Namespace("", full_name).remove()


def measure(house: House) -> dict[str, float]:
    """One round. Raises when state is missing; how long it took to be there is a figure. The memory is read before the
    box is first asked for its state, since an answer of 10,000 sources needs more than the state itself."""
    figures: dict[str, float] = {}
    house.pair_all()
    time.sleep(3)
    idle = resident_bytes(house.pid)
    house.connect()
    time.sleep(3)
    connected = resident_bytes(house.pid)
    begin = time.monotonic()
    house.command("join")
    whole = {"tunnels": ALL, "merged": ALL, "kernel": ALL}
    until(lambda: house.joined() == ALL, "all groups and sources joined upstream", timeout=300, pause=0.2)
    figures["seconds_until_all_joined"] = time.monotonic() - begin
    time.sleep(8)  # until nothing is repeated any more
    figures["memory_over_idle_MB"] = (resident_bytes(house.pid) - idle) / 1e6
    figures["memory_of_50_tunnels_MB"] = (connected - idle) / 1e6
    meter = CpuMeter([house.pid])
    time.sleep(STEADY_S)
    figures["steady_percent"] = meter.share() * 100
    if (held := house.held()) != whole:
        raise RuntimeError(f"steady state did not stay: {held}")
    for storm in ("same", "change"):
        before = house.drops()
        meter = CpuMeter([house.pid])
        said = house.command(f"{storm} {RATE} {STORM_S}")
        figures[f"storm_{storm}_percent"] = meter.share() * 100
        figures[f"storm_{storm}_per_second"] = RATE * STORM_S / float(said.split()[-2])
        begin = time.monotonic()
        until(lambda: house.held() == whole, f"{storm}: state was lost", timeout=60, pause=0.2)
        figures[f"storm_{storm}_settled_s"] = time.monotonic() - begin
        figures[f"storm_{storm}_reports_lost"] = house.drops() - before
    sessions, _, unsent = (int(word) for word in house.command("status").split())
    figures["sessions_broken"] = sessions - DEVICES
    figures["unsent"] = unsent
    return figures


def round_of(prefix: str, folder: Path) -> dict[str, float]:
    house = House(prefix, folder)
    try:
        house.up()
        return measure(house)
    except Exception:
        print(house.box.log()[-4000:], file=sys.stderr)
        raise
    finally:
        house.down()
