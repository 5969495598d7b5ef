"""Inner packets written by hand: MLDv2 and IGMPv3 reports, and what of a datagram comes out of one."""

from __future__ import annotations

import socket
import struct

from .forms import internet_checksum

_ALL_MLDV2_ROUTERS = "ff02::16"
_ALL_IGMPV3_ROUTERS = "224.0.0.22"
_CHANGE_TO_EXCLUDE = 4
_CHANGE_TO_INCLUDE = 3


def ip6(source: str, destination: str, next_header: int, payload: bytes, hops: int = 64) -> bytes:
    addresses = socket.inet_pton(socket.AF_INET6, source) + socket.inet_pton(socket.AF_INET6, destination)
    return struct.pack("!IHBB", 6 << 28, len(payload), next_header, hops) + addresses + payload


def ip4(source: str, destination: str, protocol: int, payload: bytes, options: bytes = b"", ttl: int = 64) -> bytes:
    words = 5 + len(options) // 4
    size = words * 4 + len(payload)
    addresses = socket.inet_aton(source) + socket.inet_aton(destination)
    start = struct.pack("!BBHHHBB", 0x40 | words, 0, size, 0, 0, ttl, protocol)
    total = internet_checksum(start + b"\0\0" + addresses + options)
    return start + struct.pack("!H", total) + addresses + options + payload


def mld_report(group: str, source: str = "fe80::2", *, leave: bool = False) -> bytes:
    """RFC 3810 section 5.2: one record, any source, behind a hop-by-hop router alert."""
    kind = _CHANGE_TO_INCLUDE if leave else _CHANGE_TO_EXCLUDE
    record = struct.pack("!BBH", kind, 0, 0) + socket.inet_pton(socket.AF_INET6, group)
    message = struct.pack("!BBHHH", 143, 0, 0, 0, 1) + record
    pseudo = (
        socket.inet_pton(socket.AF_INET6, source) + socket.inet_pton(socket.AF_INET6, _ALL_MLDV2_ROUTERS)
        + struct.pack("!II", len(message), 58)
    )
    message = message[:2] + struct.pack("!H", internet_checksum(pseudo + message)) + message[4:]
    router_alert = bytes((58, 0, 5, 2, 0, 0, 1, 0))
    return ip6(source, _ALL_MLDV2_ROUTERS, 0, router_alert + message, hops=1)


def igmp_report(group: str, source: str = "0.0.0.0", *, leave: bool = False) -> bytes:
    """RFC 3376 section 4.2."""
    kind = _CHANGE_TO_INCLUDE if leave else _CHANGE_TO_EXCLUDE
    message = struct.pack("!BBHHH", 0x22, 0, 0, 0, 1) + struct.pack("!BBH4s", kind, 0, 0, socket.inet_aton(group))
    message = message[:2] + struct.pack("!H", internet_checksum(message)) + message[4:]
    return ip4(source, _ALL_IGMPV3_ROUTERS, 2, message, options=bytes((0x94, 4, 0, 0)), ttl=1)


def report(group: str, *, leave: bool = False) -> bytes:
    return mld_report(group, leave=leave) if ":" in group else igmp_report(group, leave=leave)


def udp(source_port: int, destination_port: int, payload: bytes) -> bytes:
    """Without a checksum: only for what is to be dropped."""
    return struct.pack("!HHHH", source_port, destination_port, 8 + len(payload), 0) + payload
