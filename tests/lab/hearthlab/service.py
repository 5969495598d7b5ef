"""The provider as the tests see it: starting it in its namespace, its films, and what it sent when."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy

from . import film
from .channels import ALL, Channel
from .film import Film
from .topology import Topology

ROOT = Path(__file__).resolve().parents[3]
CACHE = ROOT / "build" / "lab"


class Service:
    """A running provider. `folder` receives its settings, records and log."""

    def __init__(self, topology: Topology, folder: Path, channels: tuple[Channel, ...] = ALL) -> None:
        self.channels = channels
        self._topology = topology
        self._folder = folder
        paths = {channel.name: film.make(CACHE, channel.name) for channel in channels}
        self.films = {name: Film(path) for name, path in paths.items()}
        self._settings = {
            "channels": [channel.as_dict() for channel in channels],
            "films": [str(paths[channel.name].resolve()) for channel in channels],
            "records": [str(self._record(channel)) for channel in channels],
        }
        self._process: subprocess.Popen[bytes] | None = None

    def _record(self, channel: Channel) -> Path:
        return self._folder.resolve() / f"sent-{channel.port}-{channel.name.lower().replace(' ', '-')}.ns"

    def start(self) -> None:
        """Starts sending; returns when the first datagrams are on their way."""
        self._folder.mkdir(parents=True, exist_ok=True)
        settings = self._folder / "provider.json"
        settings.write_text(json.dumps(self._settings), encoding="utf-8")
        with open(self._folder / "provider.log", "wb") as log:
            self._process = self._topology["provider"].popen(
                [sys.executable, "-m", "hearthlab.provider", str(settings.resolve())],
                stdout=subprocess.PIPE, stderr=log, env={**os.environ, "PYTHONPATH": str(ROOT / "tests" / "lab")},
            )
        assert self._process.stdout is not None
        if self._process.stdout.readline() != b"sending\n":
            raise RuntimeError(f"the provider did not start: {(self._folder / 'provider.log').read_text()}")

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            if self._process.stdout is not None:
                self._process.stdout.close()
            self._process = None

    def health(self) -> str:
        """Whether it runs, how much it sent, and its complaints."""
        state = "not started" if self._process is None else f"exit status {self._process.poll()} (None: it runs)"
        sent = {channel.name: len(self.sent_ns(channel)) for channel in self.channels if self._record(channel).exists()}
        log = self._folder / "provider.log"
        return f"{state}; sent {sent}\n{log.read_text(encoding='utf-8') if log.exists() else ''}"

    def film(self, channel: Channel) -> Film:
        return self.films[channel.name]

    def sent_ns(self, channel: Channel) -> numpy.ndarray:
        """When each datagram was sent, by its number; the last 50 ms may be missing."""
        data = self._record(channel).read_bytes()
        return numpy.frombuffer(data, dtype=numpy.int64, count=len(data) // 8)
