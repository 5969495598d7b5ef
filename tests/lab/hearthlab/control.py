"""The interface of a running program on its control socket, asked without starting a program for each question."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
from pathlib import Path
from typing import Any


class ControlConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=30)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def ask(control_socket: Path, method: str, path: str, body: Any = None) -> Any:
    """What the program answers; none when its answer has no content. An answer that is no good one is a RuntimeError."""
    with contextlib.closing(ControlConnection(control_socket)) as connection:
        content = None if body is None else json.dumps(body)
        headers = {"X-Hearthcast": "1", "Content-Type": "application/json"} if content else {"X-Hearthcast": "1"}
        connection.request(method, path, body=content, headers=headers)
        answer = connection.getresponse()
        text = answer.read()
    if answer.status >= 300:
        raise RuntimeError(f"the program answered {answer.status}: {text[:500]!r}")
    return json.loads(text) if text else None
