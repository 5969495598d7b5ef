"""One network namespace of the lab: entering it, running programs in it, opening sockets in it."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from .shell import run

CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def prefix(fallback: str = "hc-") -> str:
    """What the names of all namespaces begin with, so that several labs can stand side by side; each of pytest's
    workers has its own."""
    return os.environ.get("HEARTHCAST_LAB_PREFIX", fallback) + os.environ.get("PYTEST_XDIST_WORKER", "")


def existing(name_prefix: str) -> list[str]:
    """The lab's namespaces on this machine, by full name."""
    folder = Path("/run/netns")
    return sorted(path.name for path in folder.glob(f"{name_prefix}*")) if folder.is_dir() else []


class Namespace:
    """A named network namespace. Sockets opened in it stay in it, whichever thread uses them."""

    def __init__(self, name_prefix: str, name: str) -> None:
        self.name = name
        self.full_name = name_prefix + name

    def create(self, sysctls: dict[str, object]) -> None:
        """With its loopback interface up. The sysctls come first: interfaces take the defaults when they are made."""
        run(["ip", "netns", "add", self.full_name])
        self.sysctl(sysctls)
        self.ip("link set lo up")

    def remove(self) -> None:
        """Ends every process in the namespace, then removes it. Does nothing when it is not there."""
        if not Path("/run/netns", self.full_name).exists():
            return
        self._end_processes()
        run(["ip", "netns", "delete", self.full_name])

    def _end_processes(self) -> None:
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            pids = run(["ip", "netns", "pids", self.full_name], check=False).split()
            if not pids:
                return
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
            time.sleep(0.02)

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """Moves the calling thread into the namespace for the length of the block."""
        here = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        there = os.open(f"/run/netns/{self.full_name}", os.O_RDONLY | os.O_CLOEXEC)
        try:
            _set_network_namespace(there)
            try:
                yield
            finally:
                _set_network_namespace(here)
        finally:
            os.close(here)
            os.close(there)

    def socket(self, family: int, kind: int, protocol: int = 0) -> socket.socket:
        with self.entered():
            return socket.socket(family, kind, protocol)

    def index_of(self, interface: str) -> int:
        with self.entered():
            return socket.if_nametoindex(interface)

    def sysctl(self, values: dict[str, object]) -> None:
        """Sets sysctls below net/, which belong to the namespace: {"ipv4/ip_forward": 1}."""
        with self.entered():
            for key, value in values.items():
                Path("/proc/sys/net", key).write_text(f"{value}\n", encoding="ascii")

    def ip(self, *lines: str) -> None:
        """Runs lines of `ip` in one go: ip("link set lo up", "route add default via 192.168.1.1")."""
        run(["ip", "-n", self.full_name, "-batch", "-"], stdin="\n".join(lines) + "\n")

    def nft(self, rules: str) -> None:
        run(self.command("nft", "-f", "-"), stdin=rules)

    def command(self, *arguments: str) -> list[str]:
        return ["ip", "netns", "exec", self.full_name, *arguments]

    def run(self, *arguments: str, check: bool = True, timeout: float = 60) -> str:
        return run(self.command(*arguments), check=check, timeout=timeout)

    def popen(self, arguments: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self.command(*arguments), **options)


class Spaces:
    """Namespaces that belong together, by name."""

    def __init__(self, name_prefix: str, names: Iterable[str]) -> None:
        self.prefix = name_prefix
        self.spaces = {name: Namespace(name_prefix, name) for name in names}

    def __getitem__(self, name: str) -> Namespace:
        return self.spaces[name]

    def down(self) -> None:
        """Also what a crashed run left under the same prefix."""
        for full_name in existing(self.prefix):
            Namespace("", full_name).remove()


def _set_network_namespace(descriptor: int) -> None:
    if _libc.setns(descriptor, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")
