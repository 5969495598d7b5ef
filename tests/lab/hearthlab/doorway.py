"""A way from this machine into a namespace, for browser or player: a TCP port on loopback here leads to one there."""

from __future__ import annotations

import contextlib
import socket
import threading

from .namespace import Namespace


class Doorway:
    """Open from construction until `close`. `port` is the one wished for, or another when that is taken."""

    def __init__(self, space: Namespace, target: tuple[str, int]) -> None:
        self._space = space
        self._target = target
        self._listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._listening.bind(("127.0.0.1", target[1]))
        except OSError:
            self._listening.bind(("127.0.0.1", 0))
        self._listening.listen()
        self.port = int(self._listening.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                threading.Thread(target=self._carry, args=(near,), daemon=True).start()

    def _carry(self, near: socket.socket) -> None:
        far = self._space.socket(socket.AF_INET, socket.SOCK_STREAM)
        with near, far:
            try:
                far.connect(self._target)
            except OSError:
                return
            back = threading.Thread(target=_pump, args=(far, near), daemon=True)
            back.start()
            _pump(near, far)
            back.join()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
