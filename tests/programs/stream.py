"""What either end of a WebSocket does to read: so many octets, however TLS cuts them."""

from __future__ import annotations

import ssl


class Stream:
    tls: ssl.SSLSocket
    _pending: bytes

    def _more(self) -> None:
        part = self.tls.recv(65536)
        if not part:
            raise EOFError
        self._pending += part

    def _take(self, count: int) -> bytes:
        while len(self._pending) < count:
            self._more()
        taken, self._pending = self._pending[:count], self._pending[count:]
        return taken
