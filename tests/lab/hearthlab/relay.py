"""coturn beside the rendezvous, with the configuration that the product ships."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from pathlib import Path
from typing import Any

from .program import GROUP, USER
from .service import ROOT
from .topology import RENDEZVOUS_IP4, Topology
from .waiting import until

PORT = 3479
SECRET = "b6f3a1f0c2d94e5f8a7b6c5d4e3f2a1b"


class Relay:
    def __init__(self, topology: Topology, folder: Path) -> None:
        self._topology = topology
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def settings(self) -> dict[str, Any]:
        """What the rendezvous must know of it."""
        return {"turn": {"urls": [f"turn:{RENDEZVOUS_IP4}:{PORT}"], "secret_file": str(self._folder / "secret")}}

    def start(self) -> None:
        self._folder.mkdir(exist_ok=True)
        self._folder.chmod(0o755)
        secret = self._folder / "secret"
        secret.write_text(SECRET + "\n")
        secret.chmod(0o600)
        shutil.chown(secret, USER, GROUP)
        shipped = (ROOT / "packaging" / "coturn" / "turnserver.conf").read_text(encoding="utf-8")
        configuration = self._folder / "turnserver.conf"
        configuration.write_text(shipped.replace("CHANGE-ME", SECRET), encoding="utf-8")
        with (self._folder / "log").open("wb") as log:
            self._process = self._topology["rendezvous"].popen(
                ["turnserver", "-c", str(configuration), "--listening-port", str(PORT), f"--listening-ip={RENDEZVOUS_IP4}",
                 f"--relay-ip={RENDEZVOUS_IP4}", "--log-file=stdout", f"--pidfile={self._folder / 'pid'}",
                 f"--userdb={self._folder / 'db'}"], stdout=log, stderr=subprocess.STDOUT)
        until(self._listens, "coturn's port")

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
