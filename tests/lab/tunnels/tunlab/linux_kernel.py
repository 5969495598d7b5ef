"""A whole Linux kernel as a foreign peer, with tunnels of its own. What starts one: uml_kernel.py and qemu_kernel.py.

It reads programs from this machine's root, and writes below one folder only. Its one network card is the other end of the box's
cable, and its first process does what it is told on the console (inside.py).
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import Empty, Queue

from hearthlab.namespace import Namespace

from .inside import ANSWER

_ENDED = ""


class DoesNotRun(RuntimeError):
    """What it needs is not installed, or may not do here what it has to."""


class LinuxKernel:
    """Runs from construction until `close`. `command` is the machine, with its console at standard input and output."""

    def __init__(self, space: Namespace, command: Sequence[str], card: str, folder: Path, boot_s: float) -> None:
        self.folder = folder
        self._card = card  # the kernel's name for it
        self._answers: Queue[str] = Queue()
        self._said: list[str] = []
        self._process = space.popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self._answer("the boot", boot_s)
        except TimeoutError:
            self.close()
            raise
        self.run("ip", "link", "set", "lo", "up")

    def _read(self) -> None:
        assert self._process.stdout is not None
        for raw in self._process.stdout:
            line = raw.decode("utf-8", "replace").strip()
            if line.startswith(ANSWER):
                self._answers.put(line.removeprefix(ANSWER))
            else:
                self._said.append(line)
        self._answers.put(_ENDED)

    def run(self, *words: str, timeout: float = 90) -> str:
        """What a command inside has said."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(words).encode() + b"\n")
        self._process.stdin.flush()
        return self._answer(" ".join(words), timeout)

    def _answer(self, question: str, timeout: float) -> str:
        with contextlib.suppress(Empty):
            line = self._answers.get(timeout=timeout)
            if line != _ENDED:
                answer = json.loads(line)
                if answer["status"] != 0:
                    raise RuntimeError(f"{question}: {answer['output']}")
                return str(answer["output"])
        raise TimeoutError(f"{question}: no answer in {timeout} s from this kernel:\n" + "\n".join(self._said[-30:]))

    def ip(self, *lines: str) -> None:
        for line in lines:
            self.run("ip", *line.split())

    def card_up(self, *addresses: str) -> None:
        self.ip(*(f"address add {address} dev {self._card}{' nodad' if ':' in address else ''}" for address in addresses),
                f"link set {self._card} up")

    def listen(self, interface: str, group: str, source: str, port: int, count: int) -> bytes:
        """The payloads of so many datagrams of a group that this kernel has joined."""
        file = self.folder / "heard"
        self.run("listen", interface, group, source, str(port), str(count), str(file))
        return file.read_bytes()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._process.kill()
        self._process.wait(20)


# Boots a kernel whose card is the other end of a TAP interface. Arguments: the namespace with that interface, its name, a folder of
# the kernel's own that is not there yet. Raises DoesNotRun.
Boot = Callable[[Namespace, str, Path], LinuxKernel]
