"""The whole world with the product in it: provider, home, Internet, away, and the programs under their supervisors."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from . import channels
from .channels import Channel
from .listener import Listener
from .namespace import Namespace
from .observer import Observer
from .player import Answer, Player, get, playing
from .program import Program, Refused, binaries
from .relay import Relay
from .service import ROOT, Service
from .topology import RENDEZVOUS_IP4, Topology
from .waiting import until

AWAY_PORT = 8870
RENDEZVOUS_URL = f"wss://{RENDEZVOUS_IP4}/v1"


class Away:
    """An away client with its own state on a laptop, somewhere in the world."""

    def __init__(self, program: Program, port: int) -> None:
        self.program = program
        self.space: Namespace = program.space
        self.port = port

    def forget(self, *members: str) -> None:
        """The client, which is stopped, loses what it remembers of where the box was: lists of its memory.json."""
        file = self.program.state / "memory.json"
        memory = json.loads(file.read_text(encoding="utf-8"))
        file.write_text(json.dumps({**memory, **{member: [] for member in members}}), encoding="utf-8")

    def get(self, path: str, timeout: float = 30) -> Answer:
        return get(self.space, "127.0.0.1", self.port, path, timeout)

    def playlist(self) -> dict[str, str]:
        """Path of each channel by its name, as a player reads the M3U."""
        answer = self.get("/playlist.m3u")
        if answer.status != 200:
            return {}
        lines = answer.text.splitlines()
        paths: dict[str, str] = {}
        name = ""
        for line in lines:
            if line.startswith("#EXTINF"):
                name = line.split(",", 1)[1].strip()
            elif line and not line.startswith("#"):
                paths[name] = "/" + line.split("/", 3)[3] if "://" in line else line
        return paths

    def path_of(self, channel: Channel, timeout: float = 60) -> str:
        return until(lambda: self.playlist().get(channel.name), f"{channel.name} in the away playlist", timeout)

    def play(self, channel: Channel, *, stalled: bool = False) -> Player:
        return Player(self.space, "127.0.0.1", self.port, self.path_of(channel), stalled=stalled)

    def playing(self, channel: Channel, octets: int = 200_000, timeout: float = 60) -> Player:
        """A player that has received something. Asks anew while the client is still finding its box."""
        return playing(lambda: self.play(channel), f"playing {channel.name}", octets, timeout)


class World:
    """Raised by `up`, removed by `down`. Everything that the programs write lies below `folder`. `relay`, `behind`: relay.py.
    `limits`: of the rendezvous, where its own are too few for a test."""

    def __init__(self, prefix: str, folder: Path | None = None, *, relay: bool = False, behind: bool = False,
                 limits: dict[str, int] | None = None) -> None:
        self.topology = Topology(prefix)
        # Not below the checkout: the programs run as an unprivileged user, who may not be let in there.
        self.folder = folder or Path(tempfile.mkdtemp(prefix="hearthcast-lab-"))
        self.folder.chmod(0o755)
        self.bin = binaries(ROOT, self.folder / "bin")
        self.service = Service(self.topology, self.folder / "provider")
        self.aways: dict[str, Away] = {}
        self._programs: list[Program] = []
        self.rendezvous: Program
        self.box: Program
        self.pin = ""
        self.relay = Relay(self.topology, self.folder / "relay", behind=behind) if relay else None
        self.limits = limits or {}
        self.failed_raisings: list[str] = []  # what the edge looked like each time that it passed nothing

    def up(self) -> None:
        """Network, provider, rendezvous and box, with the provider's playlist imported."""
        self.topology.up()
        self.start_provider()
        if self.relay:
            self.relay.prepare()
        self.start_rendezvous()
        if self.relay:
            self.relay.start(self.rendezvous.state / "rendezvous.key")
        self.start_box()
        self.import_provider_playlist()

    def start_provider(self) -> None:
        """Starts sending, and makes sure that the lab itself carries both families before a program is blamed.

        A lab that does not is raised anew, and whoever runs it tells: `failed_raisings` says what was wrong.
        """
        for _ in range(3):
            self.service.start()
            if self._edge_passes():
                break
            self.failed_raisings.append(f"{self.service.health()}\n{self._edge_state()}")
            print(f"the edge passes nothing; raising the lab anew\n{self.failed_raisings[-1]}", flush=True)
            self.service.stop()
            self.topology.up()
        else:
            raise RuntimeError("the lab's edge passes nothing that a listener in the home asks for")
        self.observer = Observer(self.topology, channels.ALL)

    def _edge_passes(self) -> bool:
        listeners = [Listener(self.topology["homepc"], channel) for channel in (channels.ONE, channels.TWO)]
        try:
            for listener in listeners:
                # Long: on a busy machine (load 14 on two processors) 4.5 s passed before one that was in order did.
                listener.wait_for(10, timeout=20)
            return True
        except TimeoutError:
            return False
        finally:
            for listener in listeners:
                listener.close()
            time.sleep(2)  # until the edge has closed again

    def _edge_state(self) -> str:
        edge = self.topology["edge"]
        looks = (("ip", "-d", "link", "show", "edge"), ("ip", "-s", "link"), ("ip", "address"), ("bridge", "-d", "mdb", "show"))
        return "\n".join(edge.run(*look) for look in looks)

    def down(self) -> None:
        for program in reversed(self._programs):
            with contextlib.suppress(Exception):
                program.stop()
        if self.relay:
            self.relay.stop()
        self.service.stop()
        self.topology.down()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _program(self, place: str, kind: str, name: str, settings: dict[str, Any], **options: Any) -> Program:
        program = Program(
            self.topology[place], self.bin / f"hearthcast-{kind}", self.folder / name,
            {**settings, "log": {"level": "debug"}}, **options,
        )
        self._programs.append(program)
        return program

    def start_rendezvous(self) -> None:
        self.rendezvous = self._program(
            "rendezvous", "rendezvous", "rendezvous",
            {"listen": {"wss": f"{RENDEZVOUS_IP4}:443", "udp_port": 3478}, "limits": self.limits,
             **(self.relay.settings() if self.relay else {})},
            unprivileged=True,
        )
        self.rendezvous.start()
        self.pin = until(lambda: self.rendezvous.call("pin").strip(), "the rendezvous' pin").split()[-1]

    def new_box(self, name: str, place: str = "box", **options: Any) -> Program:
        """A box that is not started yet."""
        return self._program(
            place, "box", name,
            {
                "name": "Home",
                "network": {"upstream_interface": "eth0"},
                "rendezvous": {"url": RENDEZVOUS_URL, "pin": self.pin},
            },
            unprivileged=False, **options,
        )

    def start_box(self) -> None:
        self.box = self.new_box("box")
        self.box.start()
        until(lambda: self.box.ask("status"), "the box's control socket")
        self.wait_for_rendezvous(self.box)

    @staticmethod
    def wait_for_rendezvous(box: Program, timeout: float = 60) -> None:
        until(
            lambda: box.ask("status")["rendezvous"]["state"] == "connected", "the box at the rendezvous", timeout
        )

    @staticmethod
    def wait_for_relay(box: Program, timeout: float = 60) -> None:
        """A box that gets no answer over UDP is sure of that after some eight seconds, and asks a relay then."""
        until(lambda: "relayed: " in box.ask("status")["reachability"]["text"], "the box's relay", timeout)

    def import_playlist(self, text: str) -> dict[str, Any]:
        path = self.folder / "playlist.m3u"
        path.write_text(text, encoding="utf-8")
        return self.box.ask("import", str(path))

    def import_provider_playlist(self) -> dict[str, Any]:
        return self.import_playlist(channels.playlist())

    def channel_id(self, channel: Channel) -> int:
        for item in self.box.ask("channels")["channels"]:
            if item["name"] == channel.name:
                return int(item["id"])
        raise LookupError(channel.name)

    def new_away(self, name: str, place: str = "laptop", port: int = AWAY_PORT, *, tun: bool = False) -> Away:
        """A started away client that knows no box yet. `tun`: started as root, with an interface of its own."""
        settings: dict[str, Any] = {"http": {"listen": f"127.0.0.1:{port}"}}
        if tun:
            settings["tun"] = {"on": True}
        program = self._program(place, "away", name, settings, unprivileged=not tun)
        away = Away(program, port)
        self.aways[name] = away
        program.start()
        until(lambda: program.ask("status"), f"the control socket of {name}")
        return away

    def pair(self, away: Away, *, by_code: bool = False) -> int:
        """Pairs through a link or a typed code. The number of the device at the box; it waits for approval."""
        known = {device["id"] for device in self.box.ask("devices")["devices"]}
        window = self.box.ask("pair")
        if by_code:
            away.program.call("pair", "--code", window["code"], "--rendezvous", RENDEZVOUS_URL, "--pin", self.pin)
        else:
            away.program.call("pair", window["link"])
        new = [device["id"] for device in self.box.ask("devices")["devices"] if device["id"] not in known]
        if len(new) != 1:
            raise Refused(["pair"], 0, f"the box knows {len(new)} new devices after pairing")
        return int(new[0])

    def approve(self, device: int, granted: tuple[Channel, ...] | None = None) -> None:
        """Approves a device for these channels, or for all."""
        wanted = "all" if granted is None else ",".join(str(self.channel_id(channel)) for channel in granted)
        self.box.call("approve", str(device), "--channels", wanted)

    def device(self, number: int) -> dict[str, Any]:
        for device in self.box.ask("devices")["devices"]:
            if device["id"] == number:
                return dict(device)
        raise LookupError(f"device {number}")

    def logs(self) -> str:
        """What a failure's report needs: the state of provider and edge, and the end of every program's log."""
        parts = [f"--- provider\n{self.service.health()}"]
        with contextlib.suppress(Exception):
            edge = self.topology["edge"]
            counts = {channel.name: self.observer.packets(channel) for channel in channels.ALL}
            parts.append(f"--- edge\npassed into the home: {counts}\n{edge.run('bridge', '-d', 'mdb', 'show')}")
        parts += [f"--- {program.folder.name}\n{program.log()[-6000:]}" for program in self._programs]
        return "\n".join(parts)
