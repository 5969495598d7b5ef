"""What travels inside a tunnel, unsealed as GRE in UDP (RFC 8086), is what tshark says it is."""

from __future__ import annotations

import socket
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hearthlab.service import ROOT

GRE_IN_UDP = 4754
_RAW_IP = 101  # the pcap link type of packets that begin with an IP header
_CHECKED = ("-o", "udp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE")


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The samples of the product's own encoders, as a capture between two hosts."""
    subprocess.run(["./hearth", "build", "dev", "wire_samples"], cwd=ROOT, check=True, capture_output=True, timeout=900)
    printed = subprocess.run(
        [ROOT / "build/dev/tests/wire_samples"], check=True, capture_output=True, text=True, timeout=60
    ).stdout
    path = tmp_path_factory.mktemp("wire") / "samples.pcap"
    path.write_bytes(b"".join(pcap(bytes.fromhex(line.split()[1]) for line in printed.splitlines())))
    return path


def pcap(payloads: Iterator[bytes]) -> Iterator[bytes]:
    yield struct.pack("=IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, _RAW_IP)
    addresses = socket.inet_aton("198.51.100.2") + socket.inet_aton("192.0.2.2")
    for payload in payloads:
        udp = struct.pack("!HHHH", GRE_IN_UDP, GRE_IN_UDP, 8 + len(payload), 0) + payload
        head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, socket.IPPROTO_UDP, 0) + addresses
        total = sum(struct.unpack("!10H", head))
        total = (total & 0xFFFF) + (total >> 16)
        packet = head[:10] + struct.pack("!H", ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF) + head[12:] + udp
        yield struct.pack("=IIII", 0, 0, len(packet), len(packet)) + packet


def fields(path: Path, query: str, *names: str) -> list[list[str]]:
    """Of each packet that passes the filter: the innermost value of each field."""
    command = ["tshark", "-r", str(path), *_CHECKED, "-Y", query, "-T", "fields", *(f"-e{name}" for name in names)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return [[value.split(",")[-1] for value in line.split("\t")] for line in done.stdout.splitlines()]


def test_nothing_is_malformed(capture: Path) -> None:
    assert not fields(capture, "_ws.malformed", "frame.number")
    assert len(fields(capture, "gre", "frame.number")) == 11


def test_ipv6_media(capture: Path) -> None:
    rows = fields(
        capture, "gre.proto == 0x86dd && gre.key", "gre.key", "gre.sequence_number", "ipv6.src", "ipv6.dst",
        "ipv6.hlim", "ipv6.tclass", "ipv6.flow", "udp.srcport", "udp.dstport", "udp.length", "udp.checksum.status",
    )
    assert [int(row[1]) for row in rows] == [0, 1, 2]
    for row in rows:
        assert int(row[0], 0) == 0x01020304
        assert row[2:4] == ["2001:db8:64::10", "ff3e::8000:1"]
        assert int(row[4]) == 15
        assert [int(row[5], 0), int(row[6], 0)] == [0x88, 0]
        assert row[7:10] == ["40000", "5000", "1324"]
        assert row[10] in ("1", "Good")


def test_ipv4_media(capture: Path) -> None:
    rows = fields(
        capture, "gre.proto == 0x0800 && gre.key", "gre.sequence_number", "ip.src", "ip.dst", "ip.ttl",
        "udp.dstport", "ip.checksum.status", "udp.checksum.status",
    )
    assert [int(row[0]) for row in rows] == [0, 1, 2]
    for row in rows:
        assert row[1:5] == ["10.64.0.10", "239.10.10.2", "15", "5000"]
        assert row[5] in ("1", "Good")
        assert row[6] in ("1", "Good")


def test_mld_report(capture: Path) -> None:
    (row,) = fields(
        capture, "icmpv6.type == 143", "ipv6.src", "ipv6.dst", "ipv6.hlim", "icmpv6.checksum.status",
        "icmpv6.mldr.nb_mcast_records", "icmpv6.mldr.mar.source_address", "ipv6.opt.router_alert",
    )
    assert row[:3] == ["fe80::1:2", "ff02::16", "1"]
    assert row[3] in ("1", "Good")
    assert row[4:6] == ["2", "2001:db8:64::10"]
    assert int(row[6], 0) == 0


def test_igmp_report(capture: Path) -> None:
    (row,) = fields(
        capture, "igmp.type == 0x22", "ip.src", "ip.dst", "ip.ttl", "igmp.checksum.status", "igmp.record_type",
        "igmp.maddr", "igmp.saddr", "ip.opt.ra",
    )
    assert row[:3] == ["0.0.0.0", "224.0.0.22", "1"]
    assert row[3] in ("1", "Good")
    assert int(row[4], 0) == 5
    assert row[5:7] == ["232.10.10.3", "10.64.0.10"]
    assert int(row[7], 0) == 0


def test_queries(capture: Path) -> None:
    (mld,) = fields(
        capture, "icmpv6.type == 130", "ipv6.src", "ipv6.dst", "icmpv6.mld.maximum_response_code",
        "icmpv6.mld.flag.qrv", "icmpv6.mld.qqi", "icmpv6.checksum.status",
    )
    assert mld[:2] == ["fe80::1", "ff02::1"]
    assert [int(value, 0) for value in mld[2:5]] == [1000, 2, 10]
    assert mld[5] in ("1", "Good")
    (igmp,) = fields(
        capture, "igmp.type == 0x11", "ip.dst", "igmp.version", "igmp.qrv", "igmp.qqic", "igmp.checksum.status"
    )
    assert igmp[0] == "224.0.0.1"
    assert [int(value, 0) for value in igmp[1:4]] == [3, 2, 10]
    assert igmp[4] in ("1", "Good")


def test_control_is_told_apart(capture: Path) -> None:
    (row,) = fields(capture, "gre.proto == 0x88b5", "gre.proto")
    assert int(row[0], 0) == 0x88B5
