"""Relays from multicast to HTTP, and players that read from them at no more cost than a player must have."""

from __future__ import annotations

import contextlib
import os
import selectors
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from hearthlab import transport_stream as ts
from hearthlab.channels import Channel
from hearthlab.namespace import Namespace
from hearthlab.waiting import until

from .tool import binary

Pids = Callable[[], list[int]]  # of the processes whose work it is


@dataclass
class Relay:
    """Something that answers GET with a channel. `running`: as long as it does. `space`: where its players are. `zaps`: how
    soon a player has something is a figure, too."""

    name: str
    space: Namespace
    address: str
    port: int
    path: str
    running: Callable[[], AbstractContextManager[Pids]]
    version: str
    zaps: bool = True

    def ask(self, player: socket.socket) -> None:
        player.settimeout(20)
        player.connect((self.address, self.port))
        player.sendall(f"GET {self.path} HTTP/1.1\r\nHost: {self.address}:{self.port}\r\nUser-Agent: bench\r\n\r\n".encode())

    def new_player(self) -> socket.socket:
        return self.space.socket(socket.AF_INET, socket.SOCK_STREAM)


def cpu_seconds(pids: list[int]) -> float:
    """Of all threads of these processes, by the scheduler's clock: /proc/PID/stat counts ticks of 10 ms."""
    total = 0
    for pid in pids:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(FileNotFoundError):
                total += int((thread / "schedstat").read_text(encoding="ascii").split()[0])
    return total / 1e9


class Crowd:
    """Players that read and count, all in one thread."""

    def __init__(self, relay: Relay, count: int) -> None:
        self._sockets = [relay.new_player() for _ in range(count)]
        self._selector = selectors.DefaultSelector()
        self._octets = 0
        self._started: set[int] = set()
        self._over = threading.Event()
        self._failed = ""
        self._name = relay.name
        for player in self._sockets:
            relay.ask(player)
            player.setblocking(False)
            self._selector.register(player, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Crowd:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        for player in self._sockets:
            player.close()
        self._selector.close()

    def _read(self) -> None:
        room = bytearray(1 << 20)
        while not self._over.is_set():
            for key, _ in self._selector.select(0.2):
                got = key.fileobj.recv_into(room)  # type: ignore[union-attr]
                refused = key.fd not in self._started and b" 200 " not in room[:20]
                if got == 0 or refused:
                    self._failed = bytes(room[:200]).decode("latin-1")
                    return
                self._octets += got
                self._started.add(key.fd)

    def octets(self) -> int:
        if self._failed:
            raise RuntimeError(f"{self._name} ended a player's stream: {self._failed}")
        return self._octets

    def settle(self, seconds: float = 3) -> None:
        """Until everybody plays and what they missed has been sent to them."""
        end = time.monotonic() + 30
        while len(self._started) < len(self._sockets):
            self.octets()
            if time.monotonic() > end:
                raise TimeoutError(f"{self._name}: {len(self._started)} of {len(self._sockets)} players got something")
            time.sleep(0.05)
        time.sleep(seconds)


def first_octets(relay: Relay) -> tuple[float, float]:
    """Milliseconds from before connecting to the first octet of the stream, and to the last one of a whole entry picture."""
    with relay.new_player() as player:
        asked = time.monotonic()
        relay.ask(player)
        data = bytearray()
        while (body := data.find(b"\r\n\r\n") + 4) < 4 or len(data) == body:
            data += _more(player, relay, data)
        first = (time.monotonic() - asked) * 1000
        del data[:body]
        picture = EntryPicture()
        seen = 0
        while time.monotonic() - asked < 10:
            whole = len(data) - len(data) % ts.PACKET
            if picture.take(data[seen:whole]):
                return first, (time.monotonic() - asked) * 1000
            seen = whole
            data += _more(player, relay, data)
        raise TimeoutError(f"{relay.name}: no entry picture within 10 s")


def _more(player: socket.socket, relay: Relay, before: bytes | bytearray) -> bytes:
    got = player.recv(1 << 16)
    if not got:
        raise RuntimeError(f"{relay.name} ended after {bytes(before[:200])!r}")
    return got


class EntryPicture:
    """Whether a stream has come to the end of its first picture that decodes by itself: begun in a video packet with the
    random access indicator (ISO/IEC 13818-1 section 2.4.3.5), over when the next picture of the same stream begins."""

    def __init__(self) -> None:
        self._pid: int | None = None

    def take(self, packets: bytes | bytearray) -> bool:
        for at in range(0, len(packets), ts.PACKET):
            packet = packets[at : at + ts.PACKET]
            pid = (packet[1] & 0x1F) << 8 | packet[2]
            if not _starts_video(packet):
                continue
            if pid == self._pid:
                return True
            if self._pid is None and packet[3] & 0x20 and packet[4] > 0 and packet[5] & 0x40:
                self._pid = pid
        return False


def _starts_video(packet: bytes | bytearray) -> bool:
    """A unit of packetised video begins here."""
    if not (packet[1] & 0x40 and packet[3] & 0x10):
        return False
    payload = packet[5 + packet[4] :] if packet[3] & 0x20 else packet[4:]
    return payload[:3] == b"\0\0\1" and payload[3] & 0xF0 == 0xE0


def floors(space: Namespace, players: Namespace, address: str, channel: Channel) -> list[Relay]:
    """Our own program that does the least (relay_floor.cpp): as often as the box writes its players, and for each datagram."""
    found = []
    for name, port, gather_ms in (("floor", 8031, 40), ("floor_each", 8032, 0)):
        command = [str(binary("relay_floor")), f"{channel.group}:{channel.port}", "eth0", str(port), str(gather_ms)]
        found.append(_foreign(space, players, name, name, command, address, port, "/", zaps=False))
    return found


def peers(space: Namespace, players: Namespace, folder: Path, address: str, channel: Channel) -> list[Relay]:
    """Those that are there."""
    found = [_udpxy(space, players, address, channel), _msd_lite(space, players, folder, address, channel)]
    return [relay for relay in found if relay is not None]


def _program(name: str) -> str | None:
    return os.environ.get(name.upper()) or shutil.which(name)


def _foreign(
    space: Namespace, players: Namespace, name: str, version: str, command: list[str], address: str, port: int, path: str, *, zaps: bool = True
) -> Relay:
    @contextlib.contextmanager
    def running() -> Iterator[Pids]:
        process = space.popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        def pids() -> list[int]:
            """Itself and its children: udpxy has one for each player."""
            if process.poll() is not None:
                raise RuntimeError(f"{name} ended with {process.returncode}")
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii").split()
            return [process.pid, *map(int, children)]

        try:
            until(lambda: pids() and space.run("ss", "-Htln", f"sport = :{port}").strip(), f"{name} to listen", 20, 0.05)
            yield pids
        finally:
            process.terminate()
            process.wait(10)

    return Relay(name, players, address, port, path, running, version, zaps)


def _udpxy(space: Namespace, players: Namespace, address: str, channel: Channel) -> Relay | None:
    program = _program("udpxy")
    if program is None:
        return None
    shown = subprocess.run([program], capture_output=True, text=True, check=False)
    version = (shown.stdout + shown.stderr).strip().splitlines()[0]
    command = [program, "-T", "-p", "8022", "-m", "eth0", "-c", "32"]
    return _foreign(space, players, "udpxy", version, command, address, 8022, f"/udp/{channel.group}:{channel.port}")


def _msd_lite(space: Namespace, players: Namespace, folder: Path, address: str, channel: Channel) -> Relay | None:
    """With the settings of its own sample, but one that would bind it to a processor."""
    program = _program("msd_lite")
    if program is None:
        return None
    settings = folder / "msd_lite.conf"
    settings.write_text(
        '<?xml version="1.0" encoding="utf-8"?>\n<msd>\n'
        "<log><level>0</level></log>\n<threadPool><threadsCountMax>1</threadsCountMax></threadPool>\n"
        "<HTTP><bindList><bind><address>0.0.0.0:7088</address></bind></bindList>\n"
        "<hostnameList><hostname>*</hostname></hostnameList></HTTP>\n"
        "<hubProfileList><hubProfile><fDropSlowClients>no</fDropSlowClients>\n"
        "<fSocketHalfClosed>no</fSocketHalfClosed><fSocketTCPNoDelay>yes</fSocketTCPNoDelay>\n"
        "<fSocketTCPNoPush>yes</fSocketTCPNoPush><precache>4096</precache><ringBufSize>1024</ringBufSize>\n"
        "<skt><sndBuf>512</sndBuf><sndLoWatermark>64</sndLoWatermark></skt></hubProfile></hubProfileList>\n"
        "<sourceProfileList><sourceProfile><skt><rcvBuf>512</rcvBuf><rcvLoWatermark>48</rcvLoWatermark>\n"
        "<rcvTimeout>2</rcvTimeout></skt><multicast><ifName>eth0</ifName></multicast></sourceProfile></sourceProfileList>\n"
        "</msd>\n",
        encoding="utf-8",
    )
    command = [program, "-c", str(settings)]
    return _foreign(space, players, "msd_lite", "msd_lite", command, address, 7088, f"/udp/{channel.group}:{channel.port}")
