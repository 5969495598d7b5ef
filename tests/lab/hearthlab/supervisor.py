"""Keeps a program running as systemd would: Restart=always, RestartSec=200ms, without a limit on starts."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from .namespace import Namespace

RESTART_SECONDS = 0.2


class Supervisor:
    """One supervised program in a namespace. Its output is appended to `log`, with a line at each start and end."""

    def __init__(
        self,
        space: Namespace,
        command: Sequence[str],
        log: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.log = log
        self._space = space
        self._command = list(command)
        self._environment = {**os.environ, **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None
        self._starts = 0
        self._stopping = threading.Event()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Starts the program; again after `stop`, too."""
        before = self.starts
        self._stopping.clear()
        self._thread = threading.Thread(target=self._supervise, daemon=True)
        self._thread.start()
        self.wait_for_starts(before + 1)

    def _supervise(self) -> None:
        with open(self.log, "ab", buffering=0) as log:
            while not self._stopping.is_set():
                process = self._space.popen(
                    self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self._environment
                )
                with self._changed:
                    self._process = process
                    self._starts += 1
                    self._changed.notify_all()
                log.write(f"supervisor: started pid={process.pid}\n".encode())
                status = process.wait()
                log.write(f"supervisor: ended status={status}\n".encode())
                self._stopping.wait(RESTART_SECONDS)

    @property
    def pid(self) -> int:
        with self._changed:
            if self._process is None:
                raise RuntimeError("not started")
            return self._process.pid

    @property
    def stopped(self) -> bool:
        return self._stopping.is_set()

    @property
    def starts(self) -> int:
        with self._changed:
            return self._starts

    def wait_for_starts(self, count: int, timeout: float = 20) -> None:
        with self._changed:
            if not self._changed.wait_for(lambda: self._starts >= count, timeout):
                raise TimeoutError(f"{self._command[0]}: started {self._starts} times, waited for {count}")

    def kill(self) -> float:
        """kill -9, at once. Returns the monotonic time of it; the supervisor starts the program again."""
        os.kill(self.pid, signal.SIGKILL)
        return time.monotonic()

    def stop(self, timeout: float = 10) -> None:
        """Ends the program for good: SIGTERM, and SIGKILL when that does not do."""
        self._stopping.set()
        with self._changed:
            process = self._process
        if process is not None and process.poll() is None:
            process.terminate()
            try:
                process.wait(timeout)
            except subprocess.TimeoutExpired:
                process.kill()
        if self._thread is not None:
            self._thread.join(timeout)

    def text(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""
