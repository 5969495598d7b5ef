"""The provider goes on when the kernel refuses a datagram, and says so."""

from __future__ import annotations

import errno
import struct
from pathlib import Path

import pytest
from hearthlab import provider
from hearthlab.channels import ONE, THREE
from hearthlab.film import DATAGRAM


class Line:
    """A socket that refuses while `error` is set."""

    def __init__(self) -> None:
        self.error: OSError | None = None
        self.sent: list[bytes] = []

    def sendto(self, payload: bytes, target: tuple[str, int]) -> None:
        if self.error is not None:
            raise self.error
        self.sent.append(bytes(payload))


class Numbers:
    """A film whose datagram number N is made of the octet N."""

    @staticmethod
    def datagrams(first: int, count: int) -> bytes:
        return b"".join(bytes([(first + at) % 256]) * DATAGRAM for at in range(count))


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> Line:
    made = Line()
    monkeypatch.setattr(provider, "_sending_socket", lambda channel: made)
    return made


def test_a_refused_datagram_shows_as_lost_and_the_rest_goes_on(
    line: Line, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sender = provider.Sender(ONE, Numbers(), tmp_path / "sent.ns", 0)  # type: ignore[arg-type]
    sender.send()
    line.error = OSError(errno.ENETUNREACH, "Network is unreachable")
    sender.send()
    sender.send()
    line.error = OSError(errno.ENOBUFS, "No buffer space available")
    sender.send()
    line.error = None
    sender.send()
    sender.flush()
    assert [payload[0] for payload in line.sent] == [0, 4]
    assert (tmp_path / "sent.ns").stat().st_size == 5 * 8, "the place in the record is the number"
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2, "once for each kind"
    assert f"{ONE.name}: datagram 1 could not be sent" in said[0]
    assert f"{ONE.name}: datagram 3 could not be sent" in said[1]


def test_datagrams_are_paced_and_rtp_is_numbered(line: Line, tmp_path: Path) -> None:
    sender = provider.Sender(THREE, Numbers(), tmp_path / "sent.ns", 1_000)  # type: ignore[arg-type]
    sender.send()
    sender.send()
    assert sender.due_ns == 1_000 + 2 * provider.INTERVAL_NS
    numbers = [struct.unpack("!BBH", payload[:4]) for payload in line.sent]
    assert numbers == [(0x80, 33, 0), (0x80, 33, 1)]
    assert [payload[12] for payload in line.sent] == [0, 1]
