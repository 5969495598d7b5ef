"""Reading MLD and IGMP from frames: a decoder of the lab's own, so that waiting for a message costs no tshark.

It reads what the RFCs lay out and judges nothing; checks of single fields are made with tshark's decoder (tap.py).
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    QUERY = "query"
    REPORT1 = "IGMPv1 or MLDv1 report"
    REPORT2 = "IGMPv2 report"
    LEAVE = "leave or done"
    REPORT = "IGMPv3 or MLDv2 report"
    OTHER = "other"


IS_IN, IS_EX, TO_IN, TO_EX, ALLOW, BLOCK = range(1, 7)


@dataclass(frozen=True)
class Record:
    type: int
    group: str
    sources: tuple[str, ...] = ()


@dataclass(frozen=True)
class Message:
    """A membership message. `group` is that of a query or of a report with one; `records` are those of the newest versions."""

    kind: Kind
    family: int
    source: str
    destination: str
    group: str = ""
    sources: tuple[str, ...] = ()
    records: tuple[Record, ...] = ()
    version: int = 0  # of a query: 1 to 3 for IGMP, 1 or 2 for MLD
    suppress: bool = False
    robustness: int = 0
    interval_code: int = 0
    response_code: int = 0

    @property
    def is_general_query(self) -> bool:
        return self.kind is Kind.QUERY and self.group in ("0.0.0.0", "::")

    @property
    def is_report(self) -> bool:
        return self.kind in (Kind.REPORT1, Kind.REPORT2, Kind.LEAVE, Kind.REPORT)

    def speaks_of(self, group: str) -> bool:
        return self.group == group or any(record.group == group for record in self.records)


def read_message(frame: bytes) -> Message | None:
    """The message in an Ethernet frame; None when it carries none."""
    kind = frame[12:14]
    if kind == b"\x08\x00" and len(frame) >= 34 and frame[23] == 2:
        header = (frame[14] & 0x0F) * 4
        end = 14 + struct.unpack_from("!H", frame, 16)[0]
        return _igmp(frame[14 + header : end], socket.inet_ntoa(frame[26:30]), socket.inet_ntoa(frame[30:34]))
    if kind == b"\x86\xdd" and len(frame) >= 54:
        at, following = 54, frame[20]
        end = 54 + struct.unpack_from("!H", frame, 18)[0]
        if following == 0 and len(frame) >= at + 2:
            following, at = frame[at], at + 8 * (frame[at + 1] + 1)
        if following == 58:
            return _mld(frame[at:end], _ip6(frame[22:38]), _ip6(frame[38:54]))
    return None


def _ip6(octets: bytes) -> str:
    return socket.inet_ntop(socket.AF_INET6, octets)


def _igmp(body: bytes, source: str, destination: str) -> Message | None:
    if len(body) < 8:
        return None
    family, group = socket.AF_INET, socket.inet_ntoa(body[4:8])
    simple = {0x12: Kind.REPORT1, 0x16: Kind.REPORT2, 0x17: Kind.LEAVE}
    if body[0] in simple:
        return Message(simple[body[0]], family, source, destination, group)
    if body[0] == 0x22:
        return Message(Kind.REPORT, family, source, destination, records=_records(body, 4))
    if body[0] != 0x11:
        return Message(Kind.OTHER, family, source, destination)
    if len(body) < 12:
        version = 2 if body[1] else 1
        return Message(Kind.QUERY, family, source, destination, group, version=version, response_code=body[1])
    sources = tuple(socket.inet_ntoa(body[at : at + 4]) for at in _places(body, 12, 4, 10))
    return Message(Kind.QUERY, family, source, destination, group, sources, (), 3, bool(body[8] & 8), body[8] & 7, body[9], body[1])


def _mld(body: bytes, source: str, destination: str) -> Message | None:
    if len(body) < 8 or body[0] not in (130, 131, 132, 143):
        return None
    family = socket.AF_INET6
    if body[0] == 143:
        return Message(Kind.REPORT, family, source, destination, records=_records(body, 16))
    if len(body) < 24:
        return None
    group = _ip6(body[8:24])
    if body[0] != 130:
        return Message(Kind.REPORT1 if body[0] == 131 else Kind.LEAVE, family, source, destination, group)
    code = struct.unpack_from("!H", body, 4)[0]
    if len(body) < 28:
        return Message(Kind.QUERY, family, source, destination, group, version=1, response_code=code)
    sources = tuple(_ip6(body[at : at + 16]) for at in _places(body, 28, 16, 26))
    return Message(Kind.QUERY, family, source, destination, group, sources, (), 2, bool(body[24] & 8), body[24] & 7, body[25], code)


def _places(body: bytes, start: int, size: int, count_at: int) -> range:
    count = struct.unpack_from("!H", body, count_at)[0]
    return range(start, min(start + count * size, len(body) - size + 1), size)


def _records(body: bytes, size: int) -> tuple[Record, ...]:
    """Records of a report with addresses of `size` octets; reading ends where the report does."""
    text = socket.inet_ntoa if size == 4 else _ip6
    records, at = [], 8
    for _ in range(struct.unpack_from("!H", body, 6)[0]):
        if at + 4 + size > len(body):
            break
        kind, auxiliary, count = struct.unpack_from("!BBH", body, at)
        first = at + 4 + size
        after = first + count * size
        sources = tuple(text(body[place : place + size]) for place in range(first, min(after, len(body) - size + 1), size))
        records.append(Record(kind, text(body[at + 4 : at + 4 + size]), sources))
        at = after + auxiliary * 4
    return tuple(records)
