"""The owner's browser at the box's HTTPS port, or its HTTP port: cookies, the header against forged requests, events."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import ssl
from collections.abc import Iterator
from typing import Any

from command import Command
from contract import Contract
from hearthlab.control import ControlConnection

CONTRACT = Contract()


class Answer:
    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """Of a problem."""
        return str(self.json["code"])


class Owner:
    def __init__(self, port: int, *, plain: bool = False) -> None:
        self.port = port
        self._plain = plain
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._context.check_hostname = False
        self._context.verify_mode = ssl.CERT_NONE
        self.cookie = ""

    def connection(self) -> http.client.HTTPConnection:
        if self._plain:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=30, context=self._context)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """A documented operation; its answer is checked against the description."""
        documented = re.sub(r"/-?\w*\d\w*$", "/{id}", path)
        answer = self.send(method, "/api/v1" + path, body, **headers)
        if (method, documented) in CONTRACT.operations():
            faults = CONTRACT.faults(method, documented, answer.status, answer.headers.get("Content-Type", ""), answer.body)
            assert not faults, (method, path, answer.status, faults)
        return answer

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        sent = {"X-Hearthcast": "1"} if method not in ("GET", "HEAD") else {}
        if self.cookie:
            sent["Cookie"] = self.cookie
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            sent["Content-Type"] = "application/json"
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection = self.connection()
        connection.connect()
        with contextlib.suppress(ConnectionError, ssl.SSLError):  # what is too much is not read to its end
            connection.request(method, path, body, {name: value for name, value in sent.items() if value})
        answer = Answer(connection.getresponse())
        connection.close()
        if cookie := answer.headers.get("Set-Cookie"):
            self.cookie = cookie.split(";")[0]
        return answer

    def set_up(self, code: str, password: str) -> Answer:
        return self.ask("POST", "/setup", {"setup_code": code, "password": password})

    def sign_in(self, password: str) -> Answer:
        return self.ask("POST", "/session", {"password": password})

    def is_signed_in(self) -> bool:
        return bool(self.ask("GET", "/session").json["signed_in"])

    def events(self) -> Iterator[tuple[str, Any]]:
        """Name and data of each, until the box ends the stream."""
        connection = self.connection()
        connection.request("GET", "/api/v1/events", headers={"Cookie": self.cookie})
        response = connection.getresponse()
        assert response.status == 200, response.read()
        assert response.getheader("Content-Type", "").startswith("text/event-stream")
        name = ""
        for line in response:
            text = line.decode().rstrip("\n")
            if text.startswith("event: "):
                name = text[7:]
            elif text.startswith("data: "):
                data = json.loads(text[6:])
                assert not (faults := CONTRACT.event_faults(name, data)), faults
                yield name, data
        connection.close()


def locally(box: Command, method: str, path: str, body: bytes | None = None, kind: str = "application/json") -> Any:
    """As the owner, on the control socket; the answer is one that is documented, and a good one."""
    connection = ControlConnection(box.socket)
    try:
        connection.request(method, "/api/v1" + path, body, {"Content-Type": kind, "X-Hearthcast": "1"})
        answer = connection.getresponse()
        said = answer.read()
    finally:
        connection.close()
    documented = "/".join("{id}" if part.isdigit() else part for part in path.split("/"))
    assert not CONTRACT.faults(method, documented, answer.status, answer.getheader("Content-Type", ""), said), said
    assert answer.status < 300, (method, path, said)
    return json.loads(said) if said else None
