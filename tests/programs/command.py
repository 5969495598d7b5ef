"""Runs one of the programs: to its end, or until it is stopped."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hearthlab import control
from hearthlab.program import GROUP, READING, USER

FINE, FAILED, WRONG_USAGE, NOT_RUNNING, REFUSED = range(5)  # tunnelmgr/runtime/exit_code.hpp

STARTED = {"box": "started", "away": "started", "rendezvous": "listening"}
PATIENCE = 60  # seconds; only a broken program needs them


@dataclass
class Ended:
    code: int
    out: str
    err: str


# Below what the kernel hands out by itself, and a range for each of pytest's workers: nobody takes a port between its
# choice and its use, and no port is chosen twice.
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_ports = iter(range(12_000 + 5_000 * _WORKER, 17_000 + 5_000 * _WORKER))


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    for port in _ports:
        with socket.socket(socket.AF_INET, kind) as probe, contextlib.suppress(OSError):
            probe.bind(("", port))
            return port
    raise AssertionError("every port of this worker was used")


class Running:
    """A program in the foreground, with its log."""

    def __init__(self, arguments: list[str], log: Path) -> None:
        self._log = log
        self.out = log.with_suffix(".out")
        with log.open("w") as err, self.out.open("w") as out:
            self.process = subprocess.Popen(arguments, stdout=out, stderr=err, stdin=subprocess.DEVNULL)

    def log(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    def wait_for(self, event: str) -> str:
        """The first line of that event."""
        pattern = re.compile(rf"^\S+ \w+ {event}( .*)?$", re.MULTILINE)
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if found := pattern.search(self.log()):
                return found.group()
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise AssertionError(f"no {event} in the log:\n{self.log()}")

    def end(self, with_signal: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(with_signal)
        return self.process.wait(PATIENCE)


class Command:
    def __init__(self, binaries: Path, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder
        self.state = folder / "state"
        self.socket = folder / "control.sock"
        self.settings = folder / "settings.toml"
        self.binary = binaries / f"hearthcast-{name}"
        self.port = free_port()
        self.tunnel_port = free_port(socket.SOCK_DGRAM)
        self._running: list[Running] = []
        self.write(self.sane())

    def sane(self) -> dict[str, Any]:
        """Settings with which it runs beside anything else on this machine."""
        common = {"state_dir": str(self.state), "control_socket": str(self.socket)}
        own: dict[str, dict[str, Any]] = {
            "box": {"network.tunnel_port": self.tunnel_port, "https.listen": f"127.0.0.1:{self.port}",
                    "http.on": False, "network.upstream_interface": "lo"},
            "away": {"http.listen": f"127.0.0.1:{self.port}"},
            "rendezvous": {"listen.wss": f"127.0.0.1:{self.port}", "listen.udp_port": 0},
        }
        return common | own[self.name]

    def write(self, settings: dict[str, Any]) -> None:
        self.settings.write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in settings.items()))

    def lowered(self, *arguments: str) -> list[str]:
        user = ["setpriv", f"--reuid={USER}", f"--regid={GROUP}", "--clear-groups"] if os.geteuid() == 0 else []
        return [*user, str(self.binary), *arguments]

    def run(self, *arguments: str, stdin: str = "") -> Ended:
        """To its end, with nothing but these arguments."""
        done = subprocess.run(self.lowered(*arguments), capture_output=True, text=True, errors="replace", input=stdin,
                              timeout=PATIENCE, check=False)
        return Ended(done.returncode, done.stdout, done.stderr)

    def ask(self, *arguments: str, stdin: str = "") -> Ended:
        """A subcommand with the settings file."""
        return self.run("--config", str(self.settings), *arguments, stdin=stdin)

    def status(self) -> dict[str, Any]:
        """What `status --json` prints. Tests wait with it, so no program is started for it."""
        return dict(control.ask(self.socket, "GET", READING[self.binary.name]["status"]))

    def start(self, *arguments: str) -> Running:
        """In the foreground; returns at once."""
        self.state.mkdir(mode=0o700, exist_ok=True)
        if os.geteuid() == 0:
            subprocess.run(["chown", f"{USER}:{GROUP}", self.state], check=True)
        log = self.folder / f"log{len(self._running)}"
        running = Running(self.lowered("--config", str(self.settings), *arguments), log)
        self._running.append(running)
        return running

    def started(self, *arguments: str) -> Running:
        """The same, and it has said that it is ready."""
        running = self.start(*arguments)
        running.wait_for(STARTED[self.name])
        return running

    def running(self) -> Running:
        """The one started last."""
        return self._running[-1]

    def beside(self, name: str) -> Command:
        """Another of the programs, with a folder of its own inside this one's."""
        place = self.folder / f"{name}-{len(list(self.folder.iterdir()))}"
        place.mkdir()
        place.chmod(0o755)
        if os.geteuid() == 0:
            shutil.chown(place, USER)
        return Command(self.binary.parent, name, place)

    def kill_all(self) -> None:
        for running in self._running:
            running.end(signal.SIGKILL)
