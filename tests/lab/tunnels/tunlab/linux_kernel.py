"""A whole Linux kernel as a foreign peer: Debian's user-mode-linux, with its own gre, ip6gre and sit interfaces.

It boots in seconds, reads programs from this machine's root, and writes below one folder only. Its one network card is an
interface of a namespace.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from queue import Empty, Queue

from hearthlab.namespace import Namespace

from .inside import ANSWER

PROGRAM = "linux.uml"
BOOT_S = 120  # 4 s on an idle machine
_CARD = "vec0"  # the kernel's name for it

# The first process: what a distribution would set up, then the one that does what it is told.
_INIT = """#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t tmpfs tmpfs /run
mount -t hostfs -o {folder} hostfs {folder}
for module in ipv6 ip_gre ip6_gre sit; do modprobe -d {folder} $module; done
stty raw -echo
exec {python} -u {inside}
"""


class DoesNotRun(RuntimeError):
    """user-mode-linux is not installed, or may not do here what it needs (ptrace)."""


class LinuxKernel:
    """Runs from construction until `close`."""

    def __init__(self, space: Namespace, interface: str, folder: Path) -> None:
        if shutil.which(PROGRAM) is None:
            raise DoesNotRun("user-mode-linux is not installed")
        (folder / "lib").mkdir(parents=True)
        (folder / "lib" / "modules").symlink_to("/usr/lib/uml/modules")  # where modprobe looks for them
        self.folder = folder
        init = folder / "init"
        init.write_text(_INIT.format(folder=folder, python=sys.executable, inside=Path(__file__).with_name("inside.py")), encoding="ascii")
        init.chmod(0o755)
        self._answers: Queue[str] = Queue()
        self._said: list[str] = []
        self._process = space.popen(
            [PROGRAM, "mem=192M", "rootfstype=hostfs", "rootflags=/", "ro", f"init={init}", f"uml_dir={folder}",
             f"{_CARD}:transport=raw,ifname={interface},depth=128", "con=null", "con0=fd:0,fd:1"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self._answer("the boot", BOOT_S)
        except TimeoutError as error:
            self.close()
            raise DoesNotRun(str(error)) from error
        self.run("ip", "link", "set", "lo", "up")

    def _read(self) -> None:
        assert self._process.stdout is not None
        for raw in self._process.stdout:
            line = raw.decode("utf-8", "replace").strip()
            if line.startswith(ANSWER):
                self._answers.put(line.removeprefix(ANSWER))
            else:
                self._said.append(line)

    def run(self, *words: str, timeout: float = 90) -> str:
        """What a command inside has said."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(words).encode() + b"\n")
        self._process.stdin.flush()
        return self._answer(" ".join(words), timeout)

    def _answer(self, question: str, timeout: float) -> str:
        try:
            answer = json.loads(self._answers.get(timeout=timeout))
        except Empty:
            raise TimeoutError(f"{question}: no answer in {timeout} s from this kernel:\n" + "\n".join(self._said[-30:])) from None
        if answer["status"] != 0:
            raise RuntimeError(f"{question}: {answer['output']}")
        return str(answer["output"])

    def ip(self, *lines: str) -> None:
        for line in lines:
            self.run("ip", *line.split())

    def card_up(self, *addresses: str) -> None:
        self.ip(*(f"address add {address} dev {_CARD}{' nodad' if ':' in address else ''}" for address in addresses),
                f"link set {_CARD} up")

    def listen(self, interface: str, group: str, source: str, port: int, count: int) -> bytes:
        """The payloads of so many datagrams of a group that this kernel has joined."""
        file = self.folder / "heard"
        self.run("listen", interface, group, source, str(port), str(count), str(file))
        return file.read_bytes()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._process.kill()
        self._process.wait(20)
