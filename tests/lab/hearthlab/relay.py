"""coturn beside the rendezvous, with the configuration that the product ships."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .comparison import Comparison
from .program import GROUP, USER
from .service import ROOT
from .topology import RENDEZVOUS_IP4, RENDEZVOUS_SECOND_IP4, Topology
from .waiting import until

ADDRESS = RENDEZVOUS_SECOND_IP4  # of its own
PORT = 3479
BEHIND_PORT = 5349  # of its TLS, where the rendezvous has TCP 443
SECRET = "b6f3a1f0c2d94e5f8a7b6c5d4e3f2a1b"


def whole_once(play: Callable[[], Comparison], tries: int = 3) -> Comparison:
    """The first comparison without a difference, or the last. coturn's sockets hold some 60 ms of the channel: a machine that is
    busy with other things keeps it from running for longer, and what is lost there says nothing of the programs."""
    result = play()
    for _ in range(tries - 1):
        if result.bytes_equal:
            break
        result = play()
    return result


class Relay:
    """`behind`: its TLS is reached by the rendezvous' own address and port, which leads those who ask for it there."""

    def __init__(self, topology: Topology, folder: Path, *, behind: bool = False) -> None:
        self._topology = topology
        self.tls_address = RENDEZVOUS_IP4 if behind else ADDRESS
        self._behind = behind
        self._folder = folder
        self.relays_from = [ADDRESS]  # read when it starts
        self._process: subprocess.Popen[bytes] | None = None
        self._key: Path | None = None

    def settings(self) -> dict[str, Any]:
        """What the rendezvous must know of it."""
        urls = [f"turn:{ADDRESS}:{PORT}", f"turns:{self.tls_address}:443?transport=tcp"]
        behind = {"behind": f"127.0.0.1:{BEHIND_PORT}"} if self._behind else {}
        return {"turn": {"urls": urls, "secret_file": str(self._folder / "secret"), **behind}}

    def prepare(self) -> None:
        self._folder.mkdir(exist_ok=True)
        self._folder.chmod(0o755)
        secret = self._folder / "secret"
        secret.write_text(SECRET + "\n")
        secret.chmod(0o600)
        shutil.chown(secret, USER, GROUP)

    def start(self, key: Path) -> None:
        """`key`: the rendezvous' own, which its clients have pinned."""
        self._key = key
        certificate = self._folder / "relay.pem"
        subprocess.run(["openssl", "req", "-x509", "-new", "-key", key, "-subj", "/CN=relay", "-days", "3650", "-out", certificate],
                       check=True, capture_output=True, timeout=60)
        shipped = (ROOT / "packaging" / "coturn" / "turnserver.conf").read_text(encoding="utf-8")
        configuration = self._folder / "turnserver.conf"
        own = shipped.replace("CHANGE-ME", SECRET)
        for line in ("tls-listening-port=443", "cert=/etc/coturn/relay.pem", "pkey=/etc/coturn/relay.key"):
            assert f"#{line}\n" in own, line
            own = own.replace(f"#{line}\n", f"{line}\n")
        if self._behind:
            own = own.replace("tls-listening-port=443\n", f"tls-listening-port={BEHIND_PORT}\nlistening-ip=127.0.0.1\n")
        own = own.replace("no-tls\n", "").replace("/etc/coturn/relay.pem", str(certificate)).replace("/etc/coturn/relay.key", str(key))
        # The carriers of sites.py have public addresses out of the range for measurements, which nobody has outside a lab.
        own += "allowed-peer-ip=198.18.0.0-198.18.255.255\n"
        configuration.write_text(own, encoding="utf-8")
        with (self._folder / "log").open("wb") as log:
            self._process = self._topology["rendezvous"].popen(
                ["turnserver", "-c", str(configuration), "--listening-port", str(PORT), f"--listening-ip={ADDRESS}",
                 *(f"--relay-ip={address}" for address in self.relays_from), "--log-file=stdout", f"--pidfile={self._folder / 'pid'}",
                 f"--userdb={self._folder / 'db'}"], stdout=log, stderr=subprocess.STDOUT)
        until(self._listens, "coturn's port")

    def restart(self) -> None:
        assert self._key is not None
        self.stop()
        self.start(self._key)

    def _listens(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise RuntimeError(f"coturn ended:\n{self.log()}")
        return f":{PORT} " in self._topology["rendezvous"].run("ss", "-Huln")

    def log(self) -> str:
        return (self._folder / "log").read_text(encoding="utf-8", errors="replace")

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(10)
            self._process = None
