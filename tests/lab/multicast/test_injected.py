"""What scapy makes is what the tests say it is: tshark reads the frames, faults included, and so does the lab's decoder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from mclab import inject
from mclab.inject import Injector
from mclab.messages import ALLOW, BLOCK, IS_EX, TO_IN, Kind, Message, Record, read_message
from mclab.tap import Tap
from mclab.world import MulticastWorld
from hearthlab.waiting import until

TWO_RECORDS = (Record(BLOCK, "232.1.2.3", ("192.0.2.1",)), Record(IS_EX, "239.1.1.1"))
G6, S6, G4, S4 = "ff3e::8000:1", "2001:db8::1", "232.1.2.3", "192.0.2.1"


class Bench:
    """Frames sent by the rival and seen on the wire to tv1."""

    def __init__(self, world: MulticastWorld) -> None:
        self.injector = Injector(world["rival"])
        self.tap: Tap = world.tap("tv1", "eth0")
        world.ending(self.injector.close)

    def read(self, frames: list[bytes], *fields: str) -> list[dict[str, str]]:
        """tshark's reading of frames that crossed the LAN, in their order. One run of it takes most of a second."""
        self.injector.send(*frames)
        until(lambda: any(seen.octets == frames[-1] for seen in self.tap.frames), "the frames at the other end", 10, 0.01)
        read = self.tap.fields(f"eth.src == {inject.MAC}", *fields)
        assert len(read) == len(frames)
        return read


@pytest.fixture
def bench(world: MulticastWorld) -> Iterator[Bench]:
    yield Bench(world)


def test_reports_are_what_they_say(bench: Bench) -> None:
    six = inject.mld_report(Record(ALLOW, G6, (S6, "2001:db8::2")), Record(IS_EX, "ff1e::5"), auxiliary=b"\0\0\0\7")
    four = inject.igmp3_report(Record(BLOCK, G4, (S4,)), Record(TO_IN, "239.1.1.1"))
    fields6 = (
        "ipv6.src", "ipv6.dst", "ipv6.hlim", "ipv6.opt.router_alert", "icmpv6.checksum.status", "icmpv6.type",
        "icmpv6.mldr.mar.record_type", "icmpv6.mldr.mar.multicast_address", "icmpv6.mldr.mar.source_address", "icmpv6.mldr.mar.aux_data_len",
    )
    fields4 = ("ip.src", "ip.dst", "ip.ttl", "ip.opt.ra", "igmp.checksum.status", "igmp.record_type", "igmp.maddr", "igmp.saddr")
    first, second = bench.read([six, four], *fields6, *fields4)
    assert [first[name] for name in fields6] == [
        inject.LINK_LOCAL, "ff02::16", "1", "0", "1", "143", "5,2", f"{G6},ff1e::5", f"{S6},2001:db8::2", "1,1",
    ]
    assert [second[name] for name in fields4] == [inject.IP4, "224.0.0.22", "1", "0", "1", "6,3", f"{G4},239.1.1.1", S4]


def test_older_versions_are_what_they_say(bench: Bench) -> None:
    frames = [
        inject.mld1_report(G6), inject.mld1_done(G6), inject.igmp_report(1, G4), inject.igmp_report(2, G4), inject.igmp_leave(G4),
    ]
    read = bench.read(frames, "icmpv6.type", "icmpv6.mld.multicast_address", "icmpv6.checksum.status", "igmp.type", "igmp.maddr", "igmp.checksum.status")
    assert [tuple(fields.values()) for fields in read] == [
        ("131", G6, "1", "", "", ""), ("132", G6, "1", "", "", ""),
        ("", "", "", "0x12", G4, "1"), ("", "", "", "0x16", G4, "1"), ("", "", "", "0x17", G4, "1"),
    ]


def test_queries_are_what_they_say(bench: Bench) -> None:
    """tshark shows MLD's codes decoded: 0x8400 is 0x1400 << 3, and 0x8F is 0x1F << 3."""
    six = inject.mld_query(G6, S6, response_code=0x8400, robustness=3, interval_code=0x8F, suppress=True)
    four = inject.igmp_query(3, response_code=0x88, robustness=4, interval_code=20)
    fields6 = (
        "icmpv6.type", "icmpv6.mld.maximum_response_code", "icmpv6.mld.flag.s", "icmpv6.mld.flag.qrv", "icmpv6.mld.qqi",
        "icmpv6.mld.source_address", "icmpv6.checksum.status",
    )
    fields4 = ("igmp.type", "igmp.qrv", "igmp.qqic", "igmp.checksum.status")
    first, second = bench.read([six, four], *fields6, *fields4)
    assert [first[name] for name in fields6] == ["130", str(0x1400 << 3), "1", "3", str(0x1F << 3), S6, "1"]
    assert [second[name] for name in fields4] == ["0x11", "4", "20", "1"]


FAULTS6 = {
    "checksum": ({"checksum": 0x1234}, "icmpv6.checksum.status", "0"),
    "no router alert": ({"router_alert": False}, "ipv6.opt.router_alert", ""),
    "hop limit": ({"hop_limit": 64}, "ipv6.hlim", "64"),
    "global source": ({"source": "2001:db8:1::77"}, "ipv6.src", "2001:db8:1::77"),
    "no source": ({"source": "::"}, "ipv6.src", "::"),
}
FAULTS4 = {
    "checksum": ({"checksum": 0x1234}, "igmp.checksum.status", "0"),
    "no router alert": ({"router_alert": False}, "ip.opt.ra", ""),
    "ttl": ({"ttl": 64}, "ip.ttl", "64"),
    "no source": ({"source": "0.0.0.0"}, "ip.src", "0.0.0.0"),
}


def test_each_fault_is_the_only_one(bench: Bench) -> None:
    usual6 = {"icmpv6.checksum.status": "1", "ipv6.opt.router_alert": "0", "ipv6.hlim": "1", "ipv6.src": inject.LINK_LOCAL}
    usual4 = {"igmp.checksum.status": "1", "ip.opt.ra": "0", "ip.ttl": "1", "ip.src": inject.IP4}
    frames = [inject.mld_report(Record(IS_EX, G6), **fault) for fault, _, _ in FAULTS6.values()]
    frames += [inject.igmp3_report(Record(IS_EX, G4), **fault) for fault, _, _ in FAULTS4.values()]
    read = bench.read(frames, *usual6, *usual4)
    none6, none4 = dict.fromkeys(usual6, ""), dict.fromkeys(usual4, "")
    expected = [{**usual6, **none4, field: value} for _, field, value in FAULTS6.values()]
    expected += [{**none6, **usual4, field: value} for _, field, value in FAULTS4.values()]
    assert dict(zip([*FAULTS6, *FAULTS4], read)) == dict(zip([*FAULTS6, *FAULTS4], expected))
    assert read == expected


CUTS = (1, 8, 16, 20)


def test_cut_reports_keep_a_right_checksum(bench: Bench) -> None:
    """So that a parser that looks at the checksum alone is not saved by it."""
    frames = [inject.mld_report(Record(ALLOW, G6, (S6, "2001:db8::2")), cut=cut) for cut in CUTS]
    frames += [inject.igmp3_report(Record(ALLOW, G4, (S4, "192.0.2.2")), cut=cut) for cut in CUTS]
    read = bench.read(frames, "icmpv6.checksum.status", "ipv6.plen", "igmp.checksum.status", "ip.len")
    assert [tuple(fields.values()) for fields in read] == [
        *(("1", str(8 + 8 + 20 + 32 - cut), "", "") for cut in CUTS), *(("", "", "1", str(24 + 8 + 8 + 8 - cut)) for cut in CUTS),
    ]


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (inject.mld_report(Record(ALLOW, G6, (S6,))), (Kind.REPORT, "", (), (Record(ALLOW, G6, (S6,)),))),
        (inject.mld1_report(G6), (Kind.REPORT1, G6, (), ())),
        (inject.mld1_done(G6), (Kind.LEAVE, G6, (), ())),
        (inject.mld_query(G6, S6), (Kind.QUERY, G6, (S6,), ())),
        (inject.mld1_query(G6), (Kind.QUERY, G6, (), ())),
        (inject.igmp3_report(*TWO_RECORDS), (Kind.REPORT, "", (), TWO_RECORDS)),
        (inject.igmp_report(1, G4), (Kind.REPORT1, G4, (), ())),
        (inject.igmp_report(2, G4), (Kind.REPORT2, G4, (), ())),
        (inject.igmp_leave(G4), (Kind.LEAVE, G4, (), ())),
        (inject.igmp_query(2, G4), (Kind.QUERY, G4, (), ())),
    ],
)
def test_decoder_reads_what_scapy_made(frame: bytes, expected: tuple[object, ...]) -> None:
    message = read_message(frame)
    assert isinstance(message, Message)
    assert (message.kind, message.group, message.sources, message.records) == expected


def test_decoder_never_reads_past_the_end() -> None:
    for frame in (inject.mld_report(Record(ALLOW, G6, (S6,))), inject.igmp3_report(Record(ALLOW, G4, (S4,)), count=9), inject.mld_query(G6, S6)):
        for length in range(len(frame)):
            message = read_message(frame[:length])
            assert message is None or not any(S6 in record.sources and length < len(frame) - 20 for record in message.records)


@pytest.mark.parametrize(("version", "code"), [(1, 0), (2, 10), (3, 10)])
def test_query_versions_are_told_apart(version: int, code: int) -> None:
    message = read_message(inject.igmp_query(version, response_code=10))
    assert message is not None and message.is_general_query
    assert (message.version, message.response_code) == (version, code)
