"""The thesis's test bed in namespaces, and the ways of its proxy: a provider, a router, a home and a device away.

    provider eth0 ---- to_isp router to_home ---- eth0 home
                                 to_away ---- eth0 away

The home has one interface; what it forwards goes through a tunnel to the device, by the router again. The thesis used
GRE, which not every kernel has; VXLAN, a tunnel over UDP that every kernel has, stands in for it.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from hearthlab.namespace import Namespace, Spaces
from hearthlab.player import Player, get
from hearthlab.program import Program, binaries
from hearthlab.service import ROOT
from hearthlab.topology import SYSCTLS
from hearthlab.waiting import until
from mclab.foreign import Daemon, Smcroute

from .link import cable, ready

GROUP, PORT = "ff15:7079:7468:6f6e:6465:6d6f:6d63:6173", 8123  # the thesis's own
SOURCE = "2001:db8:64::10"
HOME4, AWAY4, ROUTER4 = "10.65.0.2", "10.66.0.2", "203.0.113.10"
RELAY = Path(__file__).resolve().parents[1] / "relay.py"


class TestBed(Spaces):
    __test__ = False

    def __init__(self, prefix: str, folder: Path) -> None:
        super().__init__(prefix, ("provider", "router", "home", "away"))
        self.folder = folder

    def up(self) -> None:
        self.down()
        for space in self.spaces.values():
            space.create(SYSCTLS)
        provider, router, home, away = self.spaces.values()
        cable(provider, "eth0", router, "to_isp")
        cable(home, "eth0", router, "to_home")
        cable(away, "eth0", router, "to_away")
        router.sysctl({"ipv4/ip_forward": 1, "ipv6/conf/all/forwarding": 1})
        provider.ip(f"address add {SOURCE}/64 dev eth0 nodad", "link set eth0 up", "route add default via 2001:db8:64::1")
        router.ip(
            "address add 2001:db8:64::1/64 dev to_isp nodad", "address add 2001:db8:65::1/64 dev to_home nodad",
            "address add 10.65.0.1/24 dev to_home", "address add 10.66.0.1/24 dev to_away", f"address add {ROUTER4}/32 dev lo",
            "link set to_isp up", "link set to_home up", "link set to_away up",
        )
        home.ip(
            f"address add {HOME4}/24 dev eth0", "address add 2001:db8:65::2/64 dev eth0 nodad", "link set eth0 up",
            "route add default via 10.65.0.1", "route add default via 2001:db8:65::1",
            f"link add tunnel0 type vxlan id 7 local {HOME4} remote {AWAY4} dstport 4789", "link set tunnel0 up",
        )
        away.ip(
            f"address add {AWAY4}/24 dev eth0", "link set eth0 up", "route add default via 10.66.0.1",
            f"link add tunnel0 type vxlan id 7 local {AWAY4} remote {HOME4} dstport 4789", "link set tunnel0 up",
        )
        for name, port in (("provider", "eth0"), ("router", "to_home"), ("home", "eth0"), ("home", "tunnel0")):
            until(lambda: ready(self[name], port), f"{name}'s link-local address", timeout=20, pause=0.02)
        self._router = Smcroute(
            router, self.folder / "router", "phyint to_isp enable", "phyint to_home enable",
            f"mroute from to_isp source {SOURCE} group {GROUP} to to_home",
        )

    def down(self) -> None:
        if hasattr(self, "_router"):
            with contextlib.suppress(Exception):
                self._router.stop()
        super().down()


@contextlib.contextmanager
def python_relay(bed: TestBed, folder: Path) -> Iterator[None]:
    running = bed["home"].popen([sys.executable, str(RELAY), GROUP, str(PORT), "eth0", "tunnel0"], stdout=subprocess.PIPE)
    try:
        assert running.stdout is not None and running.stdout.readline() == b"relaying\n"
        yield
    finally:
        running.kill()
        running.wait()


@contextlib.contextmanager
def socat_relay(bed: TestBed, folder: Path) -> Iterator[None]:
    """A compiled relay in user space, in the place of ECMH, which no distribution carries any more."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [
        "socat", "-u", f"UDP6-RECV:{PORT},ipv6-join-group=[{GROUP}]:eth0", f"UDP6-DATAGRAM:[{GROUP}]:{PORT},so-bindtodevice=tunnel0",
    ]
    running = Daemon(bed["home"], command, folder / "log")
    try:
        until(lambda: ":1FBB" in Path(f"/proc/{running.pid}/net/udp6").read_text(encoding="ascii"), "socat", timeout=20)
        yield
    finally:
        running.stop()


@contextlib.contextmanager
def kernel_route(bed: TestBed, folder: Path) -> Iterator[None]:
    home = bed["home"]
    home.sysctl({"ipv6/conf/all/forwarding": 1})
    running = Smcroute(
        home, folder, "phyint eth0 enable", "phyint tunnel0 enable",
        f"mgroup from eth0 source {SOURCE} group {GROUP}", f"mroute from eth0 source {SOURCE} group {GROUP} to tunnel0",
    )
    try:
        yield
    finally:
        running.stop()


@contextlib.contextmanager
def hearthcast(bed: TestBed, folder: Path, **network: object) -> Iterator[None]:
    """Box and away client, introduced by a rendezvous at the router; the device plays the group over HTTP. `network`: more of
    the box's settings."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    programs = binaries(ROOT, folder / "bin")
    started: list[Program] = []

    def program(place: str, kind: str, settings: dict[str, object], *, unprivileged: bool) -> Program:
        new = Program(bed[place], programs / f"hearthcast-{kind}", folder / kind, settings, unprivileged=unprivileged)
        started.append(new)
        new.start()
        return new

    try:
        rendezvous = program("router", "rendezvous", {"listen": {"wss": "0.0.0.0:443", "udp_port": 3478}}, unprivileged=True)
        pin = until(lambda: rendezvous.call("pin").strip(), "the rendezvous' pin").split()[-1]
        url = f"wss://{ROUTER4}/v1"
        box = program(
            "home", "box",
            {"name": "Home", "network": {"upstream_interface": "eth0", **network}, "rendezvous": {"url": url, "pin": pin}}, unprivileged=False,
        )
        until(lambda: box.ask("status")["rendezvous"]["state"] == "connected", "the box at the rendezvous")
        import_group(box)
        away = program("away", "away", {"http": {"listen": "127.0.0.1:8870"}}, unprivileged=True)
        until(lambda: away.ask("status"), "the away client")
        away.call("pair", box.ask("pair")["link"])
        device = until(lambda: box.ask("devices")["devices"], "the new device")[0]["id"]
        box.call("approve", str(device), "--channels", "all")
        path = until(lambda: _path(bed["away"]), "the channel in the away playlist")
        yield from _playing(bed["away"], path)
    finally:
        for one in reversed(started):
            with contextlib.suppress(Exception):
                one.stop()


def import_group(box: Program) -> None:
    playlist = box.folder / "playlist.m3u"
    playlist.write_text(f"#EXTM3U\n#EXTINF:-1,Thesis\nudp://[{SOURCE}]@[{GROUP}]:{PORT}\n", encoding="utf-8")
    box.ask("import", str(playlist))


def _path(space: Namespace) -> str | None:
    lines = get(space, "127.0.0.1", 8870, "/playlist.m3u").text.splitlines()
    urls = [line for line in lines if line and not line.startswith("#")]
    return "/" + urls[0].split("/", 3)[3] if urls else None


def _playing(space: Namespace, path: str) -> Iterator[None]:
    """Playing as long as the caller measures. The provider sends already, or the request would be refused."""
    player = Player(space, "127.0.0.1", 8870, path)
    try:
        player.wait_for_octets(1000, timeout=30)
        yield
    finally:
        player.close()


WAYS = {"python_relay": python_relay, "socat_relay": socat_relay, "kernel_route": kernel_route, "hearthcast": hearthcast}
