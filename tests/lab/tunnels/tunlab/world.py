"""A provider, a home with a box, and a cable from the box to foreign peers: no rendezvous, no device."""

from __future__ import annotations

import shutil
import socket
import tempfile
from pathlib import Path
from typing import Any

from hearthlab import channels
from hearthlab.channels import Channel
from hearthlab.comparison import Comparison, compare
from hearthlab.listener import Listener
from hearthlab.namespace import Namespace
from hearthlab.program import GROUP, USER, Program, binaries
from hearthlab.service import ROOT, Service
from hearthlab.topology import SYSCTLS, Topology
from hearthlab.waiting import until

from .forms import heartbeat
from .peer import Peer
from .plans import BOX, HEARTBEAT_TUNNEL, PASSWORD, PLANS, Plan

STRANGER = {4: "203.0.113.200", 6: "2001:db8:99::c8"}  # of the peers' machine, but no peer's
HEARTBEAT_PORT = 3740
PICTURE = 500  # datagrams: 0.66 s, which holds some thirty clock references


class PeerWorld:
    """Raised by `up`, removed by `down`. All peers of `plans` are in the box's settings."""

    def __init__(self, name_prefix: str, plans: list[Plan] | None = None) -> None:
        self.plans = PLANS if plans is None else plans
        self.topology = Topology(name_prefix)
        self.peers_space = Namespace(name_prefix, "peers")
        self.folder = Path(tempfile.mkdtemp(prefix="hearthcast-tunlab-"))
        self.folder.chmod(0o755)
        self.service = Service(self.topology, self.folder / "provider")
        self.box: Program | None = None
        self.here: dict[str, Peer] = {}

    def up(self) -> None:
        self.topology.up()
        self._lay_cable()
        self.service.start()
        self.box = Program(
            self.topology["box"], binaries(ROOT, self.folder / "bin") / "hearthcast-box", self.folder / "box",
            self._settings(), unprivileged=False,
        )
        self.box.start()
        until(lambda: self.ask("status"), "the box's control socket", 30)
        path = self.folder / "playlist.m3u"
        path.write_text(channels.playlist(), encoding="utf-8")
        self.ask("import", str(path))

    def _lay_cable(self) -> None:
        self.peers_space.create(SYSCTLS)
        self.topology["box"].ip(
            f"link add wan type veth peer name eth0 netns {self.peers_space.full_name}",
            f"address add {BOX[4]}/24 dev wan", f"address add {BOX[6]}/64 dev wan nodad", "link set wan up",
        )
        addresses = [one for plan in self.plans for one in (plan.address, plan.elsewhere)] + list(STRANGER.values())
        self.peers_space.ip(
            *(f"address add {one}/{'64' if ':' in one else '24'} dev eth0{' nodad' if ':' in one else ''}" for one in addresses),
            "link set eth0 up",
        )

    def _settings(self) -> dict[str, Any]:
        rows = []
        for plan in self.plans:
            file = self.folder / f"{plan.name}.secret"
            if plan.secret:
                file.write_text(plan.secret + "\n", encoding="ascii")
                shutil.chown(file, USER, GROUP)
                file.chmod(0o600)
            rows.append(plan.row(str(file)))
        settings: dict[str, Any] = {
            "name": "Home", "network": {"upstream_interface": "eth0"}, "log": {"level": "debug"},
        }
        return {**settings, "peer": rows} if rows else settings

    def down(self) -> None:
        for peer in self.here.values():
            peer.close()
        if self.box is not None:
            self.box.stop()
        self.service.stop()
        self.peers_space.remove()
        self.topology.down()
        shutil.rmtree(self.folder, ignore_errors=True)

    def ask(self, *arguments: str) -> dict[str, Any]:
        assert self.box is not None
        return self.box.ask(*arguments)

    def shown(self, plan: Plan) -> dict[str, Any]:
        """What the box tells of a peer now."""
        return next(peer for peer in self.ask("peers")["peers"] if peer["name"] == plan.name)

    def drops(self, plan: Plan) -> dict[str, int]:
        return {reason: count for reason, count in self.shown(plan)["drops"].items() if count}

    def peer(self, plan: Plan) -> Peer:
        """The peer at its place, made the first time; the box knows where it is."""
        if plan.name not in self.here:
            made = Peer(self.peers_space, f"hearth{plan.number}", plan.form(), plan.where)
            self.here[plan.name] = made
        peer = self.here[plan.name]
        if plan.settings.get("heartbeat"):
            self.send_heartbeat(plan.address, heartbeat(HEARTBEAT_TUNNEL, PASSWORD))
        until(lambda: self.shown(plan).get("endpoint"), f"the place of {plan.name}")
        return peer

    def send_heartbeat(self, source: str, datagram: bytes) -> None:
        self.send_from(source, HEARTBEAT_PORT, datagram)

    def send_from(self, source: str, port: int, *datagrams: bytes, protocol: int = 0, source_port: int = 0) -> None:
        """Datagrams to the box from any address of the peers' machine; over IP when the port is 0."""
        family = socket.AF_INET6 if ":" in source else socket.AF_INET
        kind = socket.SOCK_DGRAM if port else socket.SOCK_RAW
        with self.peers_space.socket(family, kind, 0 if port else protocol) as out:
            out.bind((source, source_port))
            for datagram in datagrams:
                out.sendto(datagram, (BOX[6 if ":" in source else 4], port))

    def watch(self, plan: Plan, channel: Channel, packets: int = PICTURE) -> Comparison:
        """The peer's kernel joins; what came out of the tunnel is compared with what the provider sent."""
        peer = self.peer(plan)
        listener = Listener(self.peers_space, channel, peer.interface)
        try:
            listener.wait_for(packets, timeout=60)
            # `peers` tells figures of the last second.
            until(lambda: self.shown(plan)["watching"] and self.shown(plan)["packets"], f"{plan.name} shown as watching")
        finally:
            listener.close()
        return compare(self.service.film(channel), listener.data())

    def wait_until_quiet(self, plan: Plan) -> None:
        until(lambda: not self.shown(plan)["watching"], f"{plan.name} shown as watching nothing")

    def log(self) -> str:
        return self.box.log()[-8000:] if self.box is not None else ""
