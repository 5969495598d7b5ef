"""Running hearthcast-mcast in a namespace: a sender that goes on, and receivers that report."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

from hearthlab.namespace import Namespace
from hearthlab.service import ROOT


def binary(name: str) -> Path:
    return Path(os.environ.get("HEARTHCAST_BIN", ROOT / "build" / "bin")).resolve() / name


class Sender:
    """Sends from construction until `stop`, which returns its report."""

    def __init__(self, space: Namespace, group: str, source: str, *options: str, port: str = "eth0", processor: int | None = None) -> None:
        alone = [] if processor is None else ["taskset", "-c", str(processor)]
        command = [*alone, str(binary("hearthcast-mcast")), "send", group, "--interface", port, "--source", source, "--json", *options]
        self._process = space.popen(command, stdout=subprocess.PIPE)

    def stop(self) -> dict[str, Any]:
        self._process.send_signal(signal.SIGINT)
        return self.wait()

    def wait(self, timeout: float = 60) -> dict[str, Any]:
        out, _ = self._process.communicate(timeout=timeout)
        return dict(json.loads(out)) if out else {}


def receive(space: Namespace, flow: str, *options: str, port: str = "eth0", timeout: float = 120) -> dict[str, Any]:
    """A receiver's report. Nothing having come is a report, too."""
    command = space.command(str(binary("hearthcast-mcast")), "receive", flow, "--interface", port, "--json", *options)
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    if not done.stdout:
        raise RuntimeError(f"{' '.join(command)}: exit {done.returncode}: {done.stderr}")
    return dict(json.loads(done.stdout))


class CpuMeter:
    """Processor seconds of processes between construction and `seconds`."""

    def __init__(self, pids: list[int]) -> None:
        self._pids = pids
        self._begin = {pid: _cpu(pid) for pid in pids}
        self._wall = time.monotonic()

    def share(self) -> float:
        """Of one core."""
        used = sum(_cpu(pid) - self._begin[pid] for pid in self._pids)
        return used / (time.monotonic() - self._wall)


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_bytes(pid: int) -> int:
    """Memory that belongs to the process alone, and what it shares divided by the sharers."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0
