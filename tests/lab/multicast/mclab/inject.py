"""Membership packets made by scapy, right ones and wrong ones, sent from a namespace as they are.

Every builder returns a whole Ethernet frame. Scapy fills in what is left out, so each fault is set by name.
"""

from __future__ import annotations

import logging
import socket
import struct
import time
from collections.abc import Sequence

logging.getLogger("scapy.runtime").setLevel(logging.ERROR)

from scapy.contrib.igmp import IGMP  # noqa: E402
from scapy.contrib.igmpv3 import IGMPv3, IGMPv3gr, IGMPv3mq, IGMPv3mr  # noqa: E402
from scapy.layers.inet import IP, UDP, IPOption_Router_Alert  # noqa: E402
from scapy.layers.inet6 import (  # noqa: E402
    ICMPv6MLDMultAddrRec, ICMPv6MLDone, ICMPv6MLQuery, ICMPv6MLQuery2, ICMPv6MLReport, ICMPv6MLReport2,
    IPv6, IPv6ExtHdrHopByHop, RouterAlert, in6_chksum,
)
from scapy.layers.l2 import Ether  # noqa: E402
from scapy.packet import Packet, Raw  # noqa: E402
from scapy.utils import checksum as internet_checksum  # noqa: E402

from hearthlab.namespace import Namespace  # noqa: E402

from .messages import Record  # noqa: E402
from .traffic import PORT  # noqa: E402

MAC = "02:00:00:00:ee:01"
LINK_LOCAL = "fe80::ee:1"
IP4 = "192.168.1.77"


class Injector:
    """Puts frames on the cable of an interface."""

    def __init__(self, space: Namespace, interface: str = "eth0") -> None:
        self._socket = space.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        with space.entered():
            self._socket.bind((interface, 0))

    def send(self, *frames: bytes) -> None:
        for frame in frames:
            self._socket.send(frame)

    def close(self) -> None:
        self._socket.close()


def _mac4(group: str) -> str:
    octets = socket.inet_aton(group)
    return f"01:00:5e:{octets[1] & 0x7F:02x}:{octets[2]:02x}:{octets[3]:02x}"


def _mac6(group: str) -> str:
    return "33:33:" + ":".join(f"{octet:02x}" for octet in socket.inet_pton(socket.AF_INET6, group)[12:])


def mld(
    body: Packet, destination: str, *,
    source: str = LINK_LOCAL, hop_limit: int = 1, router_alert: bool = True, checksum: int | None = None, cut: int = 0,
) -> bytes:
    """`cut`: so many octets are missing at the end, while the IPv6 header agrees with what is there and the checksum is right."""
    if checksum is not None:
        body.cksum = checksum
    header = IPv6(src=source, dst=destination, hlim=hop_limit)
    between = [IPv6ExtHdrHopByHop(options=[RouterAlert(otype=5, value=0)])] if router_alert else []
    layers = header
    for layer in [*between, body]:
        layers = layers / layer
    if cut:
        layers = _cut6(IPv6(bytes(layers)), header, between, cut)
    return bytes(Ether(src=MAC, dst=_mac6(destination)) / layers)


def _cut6(whole: Packet, header: Packet, between: Sequence[Packet], cut: int) -> Packet:
    body = bytearray(bytes(whole)[40 + (8 if between else 0) : -cut])
    body[2:4] = b"\0\0"
    total = in6_chksum(58, IPv6(src=header.src, dst=header.dst), bytes(body))
    body[2:4] = total.to_bytes(2, "big")
    outer = IPv6(src=header.src, dst=header.dst, hlim=header.hlim, nh=0 if between else 58)
    if between:
        return outer / IPv6ExtHdrHopByHop(nh=58, options=[RouterAlert(otype=5, value=0)]) / Raw(bytes(body))
    return outer / Raw(bytes(body))


def _records6(records: Sequence[Record], auxiliary: bytes) -> list[Packet]:
    return [
        ICMPv6MLDMultAddrRec(
            rtype=record.type, dst=record.group, sources=list(record.sources), sources_number=len(record.sources),
            auxdata_len=len(auxiliary) // 4, auxdata=auxiliary,
        )
        for record in records
    ]


def mld_report(*records: Record, count: int | None = None, auxiliary: bytes = b"", destination: str = "ff02::16", **faults: object) -> bytes:
    """An MLDv2 report; `count` is the number of records it claims."""
    body = ICMPv6MLReport2(records=_records6(records, auxiliary), records_number=len(records) if count is None else count)
    return mld(body, destination, **faults)  # type: ignore[arg-type]


def mld1_report(group: str, **faults: object) -> bytes:
    return mld(ICMPv6MLReport(mladdr=group), group, **faults)  # type: ignore[arg-type]


def mld1_done(group: str, **faults: object) -> bytes:
    return mld(ICMPv6MLDone(mladdr=group), "ff02::2", **faults)  # type: ignore[arg-type]


def mld_query(
    group: str = "::", *sources: str, response_code: int = 1000, robustness: int = 2, interval_code: int = 125,
    suppress: bool = False, **faults: object,
) -> bytes:
    body = ICMPv6MLQuery2(
        mladdr=group, sources=list(sources), sources_number=len(sources), mrd=response_code, S=int(suppress),
        QRV=robustness, QQIC=interval_code,
    )
    return mld(body, "ff02::1" if group == "::" else group, **faults)  # type: ignore[arg-type]


def mld1_query(group: str = "::", response_ms: int = 1000, **faults: object) -> bytes:
    return mld(ICMPv6MLQuery(mladdr=group, mrd=response_ms), "ff02::1" if group == "::" else group, **faults)  # type: ignore[arg-type]


def igmp(
    body: Packet, destination: str, *,
    source: str = IP4, ttl: int = 1, router_alert: bool = True, checksum: int | None = None, cut: int = 0,
) -> bytes:
    if checksum is not None:
        body.chksum = checksum
    octets = bytes(body)
    if cut:
        octets = _with_checksum(octets[:-cut])
    options = [IPOption_Router_Alert()] if router_alert else []
    header = IP(src=source, dst=destination, ttl=ttl, tos=0xC0, proto=2, options=options)
    return bytes(Ether(src=MAC, dst=_mac4(destination)) / header / Raw(octets))


def _with_checksum(octets: bytes) -> bytes:
    blank = octets[:2] + b"\0\0" + octets[4:]
    return blank[:2] + internet_checksum(blank).to_bytes(2, "big") + blank[4:]


def igmp3_report(*records: Record, count: int | None = None, auxiliary: bytes = b"", **faults: object) -> bytes:
    groups = [
        IGMPv3gr(
            rtype=record.type, maddr=record.group, srcaddrs=list(record.sources), numsrc=len(record.sources),
            auxdlen=len(auxiliary) // 4,
        ) / Raw(auxiliary)
        for record in records
    ]
    head = bytes(IGMPv3(type=0x22, mrcode=0, chksum=0) / IGMPv3mr(numgrp=len(records) if count is None else count))
    octets = head + b"".join(bytes(group) for group in groups)
    bad = faults.pop("checksum", None)
    octets = _with_checksum(octets) if bad is None else octets[:2] + int(bad).to_bytes(2, "big") + octets[4:]  # type: ignore[call-overload]
    return igmp(Raw(octets), "224.0.0.22", **faults)  # type: ignore[arg-type]


def igmp_report(version: int, group: str, **faults: object) -> bytes:
    """A report of version 1 or 2."""
    return igmp(IGMP(type={1: 0x12, 2: 0x16}[version], mrcode=0, gaddr=group), group, **faults)  # type: ignore[arg-type]


def igmp_leave(group: str, **faults: object) -> bytes:
    return igmp(IGMP(type=0x17, mrcode=0, gaddr=group), "224.0.0.2", **faults)  # type: ignore[arg-type]


def igmp_query(
    version: int = 3, group: str = "0.0.0.0", *, response_code: int = 10, robustness: int = 2, interval_code: int = 125,
    suppress: bool = False, **faults: object,
) -> bytes:
    destination = "224.0.0.1" if group == "0.0.0.0" else group
    if version < 3:
        code = response_code if version == 2 else 0
        return igmp(IGMP(type=0x11, mrcode=code, gaddr=group), destination, **faults)  # type: ignore[arg-type]
    body = IGMPv3(type=0x11, mrcode=0, chksum=0) / IGMPv3mq(gaddr=group, s=int(suppress), qrv=robustness, qqic=interval_code, numsrc=0)
    octets = bytes(body)
    octets = octets[:1] + bytes([response_code]) + octets[2:]  # scapy would encode it anew
    return igmp(Raw(_with_checksum(octets)), destination, **faults)  # type: ignore[arg-type]


def udp_packet(source: str, group: str, number: int, *, hops: int = 16) -> bytes:
    """A packet of test traffic that no kernel would send: with any source."""
    payload = struct.pack("!QQ", number, time.monotonic_ns()) + bytes(100)
    datagram = UDP(sport=40000, dport=PORT) / Raw(payload)
    if ":" in group:
        return bytes(Ether(src=MAC, dst=_mac6(group)) / IPv6(src=source, dst=group, hlim=hops) / datagram)
    return bytes(Ether(src=MAC, dst=_mac4(group)) / IP(src=source, dst=group, ttl=hops) / datagram)
