"""Tunnels that carry one multicast stream from a home to a device away, each in the networks of a Line.

    source eth0 ---- up0 proxy lan0 ---- eth0 receiver

Ours takes the stream from the provider and hands it to programs away by an interface of its own (`--tun`). The others
know no provider: their stream begins at the home's end of the tunnel, a hop later, which is to their favour.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hearthlab.namespace import Namespace
from hearthlab.program import Program, binaries
from hearthlab.service import ROOT
from hearthlab.waiting import until
from mclab.away import channel_url, import_channels
from mclab.foreign import Daemon

from .link import SOURCE4, Line
from .peers import GROUP4

PORT = 5000
HOME4, AWAY4 = "192.168.1.1", "192.168.1.20"
INNER_HOME, INNER_AWAY = "10.9.0.1", "10.9.0.2"
QUEUE = 5000  # packets between the kernel and a program: its default of 500 loses some at 10,000 packets a second


@dataclass
class Tunnel:
    """A tunnel that is up. The stream goes in at `sender` and is received at `receiver`: a namespace and its interface."""

    sender: tuple[Namespace, str]
    receiver: tuple[Namespace, str]
    source: str
    pids: list[int]


@contextlib.contextmanager
def hearthcast(line: Line, folder: Path) -> Iterator[Tunnel]:
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    programs = binaries(ROOT, folder / "bin")
    started: list[Program] = []

    def program(place: str, kind: str, settings: dict[str, object]) -> Program:
        new = Program(line[place], programs / f"hearthcast-{kind}", folder / kind, settings, unprivileged=False)
        started.append(new)
        new.start()
        until(lambda: new.ask("status"), f"the control socket of {kind}")
        return new

    try:
        box = program("proxy", "box", {"name": "Home", "network": {"upstream_interface": "up0"}})
        import_channels(box, folder, {"one": channel_url(GROUP4, SOURCE4, PORT)})
        away = program("receiver", "away", {"http": {"listen": "127.0.0.1:8870"}, "tun": {"on": True}})
        away.call("pair", box.ask("pair")["link"])
        device = until(lambda: box.ask("devices")["devices"], "the new device")[-1]["id"]
        box.call("approve", str(device), "--channels", "all")
        until(lambda: away.ask("status")["tun"]["addresses"], "the addresses of the interface away")
        pids = [one.supervisor.pid for one in started]
        yield Tunnel((line["source"], "eth0"), (line["receiver"], "hearthcast0"), SOURCE4, pids)
    finally:
        for one in reversed(started):
            with contextlib.suppress(Exception):
                one.stop()


@contextlib.contextmanager
def wireguard(line: Line, folder: Path) -> Iterator[Tunnel]:
    """wireguard-go of Debian: the kernel's own is not to be had everywhere."""
    folder.mkdir(parents=True)
    ends = (("proxy", INNER_HOME, INNER_AWAY, HOME4), ("receiver", INNER_AWAY, INNER_HOME, AWAY4))
    keys = [subprocess.run(["wg", "genkey"], capture_output=True, text=True, check=True).stdout for _ in ends]
    public = [subprocess.run(["wg", "pubkey"], input=key, capture_output=True, text=True, check=True).stdout.strip() for key in keys]
    running: list[Daemon] = []
    devices = [f"wg{os.getpid() % 100000}{letter}" for letter in "ha"]  # its control sockets lie in one folder for all namespaces
    try:
        for number, (place, own, peer, _) in enumerate(ends):
            space, device = line[place], devices[number]
            running.append(Daemon(space, ["wireguard-go", "-f", device], folder / f"log{number}"))
            until(lambda: Path(f"/var/run/wireguard/{device}.sock").exists(), "wireguard-go")  # noqa: B023
            key = folder / f"key{number}"
            key.touch(0o600)
            key.write_text(keys[number], encoding="ascii")
            space.run(
                "wg", "set", device, "private-key", str(key), "listen-port", "51820", "peer", public[1 - number],
                "endpoint", f"{ends[1 - number][3]}:51820", "allowed-ips", f"{peer}/32,{GROUP4}/32",
            )
            _up(space, device, own)
        line["proxy"].run("ping", "-c", "1", "-W", "5", INNER_AWAY)
        yield _tunnel(line, *devices, running)
    finally:
        for one in reversed(running):
            one.stop()


@contextlib.contextmanager
def openvpn(line: Line, folder: Path) -> Iterator[Tunnel]:
    folder.mkdir(parents=True)
    prints = [_certificate(folder, name) for name in ("home", "away")]
    running: list[Daemon] = []
    try:
        for number, (place, name, role, remote, inner) in enumerate((
            ("proxy", "home", "--tls-server", AWAY4, (INNER_HOME, INNER_AWAY)),
            ("receiver", "away", "--tls-client", HOME4, (INNER_AWAY, INNER_HOME)),
        )):
            command = [
                "openvpn", "--dev", "ovpn0", "--dev-type", "tun", "--proto", "udp4", "--port", "1194", "--remote", remote, role,
                "--cert", str(folder / f"{name}.crt"), "--key", str(folder / f"{name}.key"), "--peer-fingerprint", prints[1 - number],
                "--data-ciphers", "AES-128-GCM", "--disable-dco", "--fast-io", "--sndbuf", str(4 << 20), "--rcvbuf", str(4 << 20),
                "--txqueuelen", str(QUEUE), "--ifconfig", *inner,
            ]
            command += ["--dh", "none"] if role == "--tls-server" else []
            running.append(Daemon(line[place], command, folder / f"log{number}"))
        until(lambda: line["receiver"].run("ping", "-c", "1", "-W", "1", INNER_HOME, check=False).find(" 0% packet loss") > 0,
              "OpenVPN's tunnel", timeout=30)
        for place in ("proxy", "receiver"):
            _routes(line[place], "ovpn0")
        yield _tunnel(line, "ovpn0", "ovpn0", running)
    finally:
        for one in reversed(running):
            one.stop()


def _certificate(folder: Path, name: str) -> str:
    """Makes NAME.crt and NAME.key, and returns the fingerprint."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}", "-days", "2",
         "-keyout", str(folder / f"{name}.key"), "-out", str(folder / f"{name}.crt")], capture_output=True, check=True,
    )
    shown = subprocess.run(
        ["openssl", "x509", "-in", str(folder / f"{name}.crt"), "-noout", "-fingerprint", "-sha256"], capture_output=True, text=True, check=True,
    )
    return shown.stdout.strip().split("=", 1)[1]


def _up(space: Namespace, device: str, own: str) -> None:
    space.ip(f"address add {own}/24 dev {device}", f"link set {device} txqueuelen {QUEUE} mtu 1400 multicast on up")
    _routes(space, device)


def _routes(space: Namespace, device: str) -> None:
    space.ip(f"link set {device} multicast on", f"route replace {GROUP4}/32 dev {device}")


def _tunnel(line: Line, home: str, away: str, running: list[Daemon]) -> Tunnel:
    pids = [one.pid for one in running]
    return Tunnel((line["proxy"], home), (line["receiver"], away), INNER_HOME, pids)


ALL = {"hearthcast": hearthcast, "wireguard-go": wireguard, "openvpn": openvpn}
