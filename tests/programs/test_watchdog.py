"""A box of which one thread hangs gives the service manager no sign of life, so that it is restarted."""

from __future__ import annotations

import ctypes
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from command import FINE, Command
from hearthlab.waiting import until

_SEIZE, _INTERRUPT, _DETACH = 0x4206, 0x4207, 17  # ptrace(2)
_ALL_CHILDREN = 0x40000000  # __WALL: threads, too
_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = (ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
_libc.ptrace.restype = ctypes.c_long


def _ptrace(request: int, thread: int) -> None:
    if _libc.ptrace(request, thread, None, None) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


@contextmanager
def hanging(thread: int) -> Iterator[None]:
    """That one alone, as if it were in a loop without an end; the others go on."""
    _ptrace(_SEIZE, thread)
    _ptrace(_INTERRUPT, thread)
    os.waitpid(thread, _ALL_CHILDREN)
    yield
    _ptrace(_DETACH, thread)


class Manager:
    """The end of the service manager."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        path.chmod(0o666)

    def sees_life(self, within: float) -> bool:
        self._socket.settimeout(within)
        try:
            while b"WATCHDOG=1" not in self._socket.recv(100):
                pass
        except TimeoutError:
            return False
        return True


@pytest.mark.parametrize("which", [1, 2], ids=["worker", "data"])  # in the order in which they are started
def test_a_hanging_thread_withholds_the_sign_of_life(box: Command, folder: Path, which: int,
                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    manager = Manager(folder / "manager.sock")
    monkeypatch.setenv("NOTIFY_SOCKET", str(folder / "manager.sock"))
    monkeypatch.setenv("WATCHDOG_USEC", "3000000")  # a sign each second
    running = box.started()
    threads = sorted(int(name) for name in os.listdir(f"/proc/{running.process.pid}/task"))
    assert len(threads) == 3, "control, worker, data"
    assert manager.sees_life(5)
    with hanging(threads[which]):
        until(lambda: not manager.sees_life(4), "silence", timeout=90)
    until(lambda: manager.sees_life(4), "signs of life again")
    assert running.end() == FINE
