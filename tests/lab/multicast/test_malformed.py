"""Packets that scapy made wrong change nothing, are counted by their reason, and disturb no stream."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hearthlab.waiting import until
from mclab import inject
from mclab.box import Box, tv
from mclab.groups import ANY4, ANY6, ONE4, ONE6, sources
from mclab.messages import ALLOW, IS_EX, IS_IN, Record
from mclab.traffic import missing
from mclab.world import MulticastWorld

WANTED6, WANTED4 = Record(IS_EX, "ff1e::bad"), Record(IS_EX, "239.66.6.6")

FAULTS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "bad_checksum": ("bad_checksum", lambda: inject.mld_report(WANTED6, checksum=0x1234)),
    "bad_checksum4": ("bad_checksum", lambda: inject.igmp3_report(WANTED4, checksum=0x1234)),
    "no_router_alert": ("no_router_alert", lambda: inject.mld_report(WANTED6, router_alert=False)),
    "no_router_alert4": ("no_router_alert", lambda: inject.igmp3_report(WANTED4, router_alert=False)),
    "hop_limit": ("hop_limit", lambda: inject.mld_report(WANTED6, hop_limit=2)),
    "ttl4": ("hop_limit", lambda: inject.igmp3_report(WANTED4, ttl=2)),
    "global_source": ("source", lambda: inject.mld_report(WANTED6, source="2001:db8:1::77")),
    "no_source": ("unspecified_source", lambda: inject.mld_report(WANTED6, source="::")),
    "more_records_than_there_are": ("malformed", lambda: inject.mld_report(WANTED6, count=7)),
    "more_records_than_there_are4": ("malformed", lambda: inject.igmp3_report(WANTED4, count=7)),
    "cut_sources": ("malformed", lambda: inject.mld_report(Record(IS_IN, "ff1e::bad", ("2001:db8::1", "2001:db8::2")), cut=8)),
    "cut_sources4": ("malformed", lambda: inject.igmp3_report(Record(IS_IN, "239.66.6.6", ("192.0.2.1", "192.0.2.2")), cut=6)),
    "cut_header": ("malformed", lambda: inject.mld1_report("ff1e::bad", cut=10)),
}


def test_each_fault_is_counted_by_its_reason_and_changes_nothing(world: MulticastWorld) -> None:
    streams = world.streams((ANY6, ANY4))
    box = world.box(tv())
    listeners = world.watching("tv1", streams)
    injector = world.injector("rival")
    for name, (reason, make) in FAULTS.items():
        frame = make()
        family = "ipv4" if frame[12:14] == b"\x08\x00" else "ipv6"
        before = box.drops(family)
        injector.send(frame)
        after = until(lambda: (now := box.drops(family))[reason] != before[reason] and now, f"{name} counted")
        # The hosts' own reports of link scope may be counted meanwhile.
        assert {key: count - before[key] for key, count in after.items() if count != before[key] and key != "group"} == {reason: 1}, name
    assert box.membership("ff1e::bad") is None and box.membership("239.66.6.6") is None
    for listener in listeners:
        listener.wait_for(10)
        assert missing(listener.received) == 0


def test_report_without_an_address_is_taken_from_igmp_hosts(world: MulticastWorld) -> None:
    box = world.box(tv())
    world.injector("rival").send(inject.igmp3_report(Record(IS_EX, ANY4), source="0.0.0.0"))
    until(lambda: box.membership(ANY4), "the membership")


def test_unknown_record_is_passed_over_alone(world: MulticastWorld) -> None:
    box = world.box(tv())
    world.injector("rival").send(
        inject.mld_report(Record(9, "ff1e::9"), Record(IS_EX, ANY6), Record(200, "ff1e::200")),
        inject.igmp3_report(Record(0, "239.9.9.9"), Record(IS_EX, ANY4)),
    )
    until(lambda: box.membership(ANY6) and box.membership(ANY4), "the records that are known")
    assert box.drops("ipv6")["record_type"] == 2
    assert box.drops("ipv4")["record_type"] == 1
    assert box.membership("ff1e::9") is None


def test_auxiliary_data_is_passed_over(world: MulticastWorld) -> None:
    box = world.box(tv())
    world.injector("rival").send(
        inject.mld_report(Record(IS_EX, ANY6), Record(ALLOW, ONE6, (sources(ONE6)[0],)), auxiliary=bytes(8)),
        inject.igmp3_report(Record(IS_EX, ANY4), Record(ALLOW, ONE4, (sources(ONE4)[0],)), auxiliary=bytes(8)),
    )
    for group in (ANY6, ONE6, ANY4, ONE4):
        until(lambda: box.membership(group), f"{group}, beside auxiliary data")


@pytest.mark.parametrize(
    ("group", "good", "bad"),
    [("ff1e::7", "2001:db8::1", ("ff02::1", "::")), ("239.7.7.7", "192.0.2.1", ("224.1.1.1", "0.0.0.0"))],
)
def test_sources_that_cannot_send_are_left_out(world: MulticastWorld, group: str, good: str, bad: tuple[str, ...]) -> None:
    box = world.box(tv())
    report = inject.mld_report if ":" in group else inject.igmp3_report
    world.injector("rival").send(report(Record(IS_IN, group, (*bad, good))))
    known = until(lambda: box.membership(group), "the membership")
    assert [source["source_address"] for source in known["source"]] == [good]
    assert box.drops("ipv6" if ":" in group else "ipv4")["record_source"] == 2


def test_too_many_groups_and_sources_are_refused_visibly(world: MulticastWorld) -> None:
    world.streams((ANY6, ANY4))
    box = world.box(tv(max_groups=3, max_sources=2))
    listeners = world.watching("tv1", (ANY6, ANY4))
    injector = world.injector("rival")
    injector.send(
        *(inject.mld_report(Record(IS_EX, f"ff1e::a:{number}")) for number in range(1, 10)),
        *(inject.igmp3_report(Record(IS_EX, f"239.200.0.{number}")) for number in range(1, 10)),
    )

    def counted(box: Box, family: str) -> int:
        return box.drops(family)["over_limit"]

    for family in ("ipv6", "ipv4"):
        until(lambda: counted(box, family) >= 7, f"the groups refused of {family}")
        assert len(box.router(family)["group"]) == 3
    before = counted(box, "ipv6")
    injector.send(inject.mld_report(Record(IS_IN, "ff1e::a:1", tuple(f"2001:db8::{number}" for number in range(1, 6)))))
    until(lambda: counted(box, "ipv6") > before, "the sources refused")
    for listener in listeners:
        listener.wait_for(10)
        assert missing(listener.received) == 0
