"""Who asks on a LAN: the box against the Linux bridge's querier, and what follows from losing or winning."""

from __future__ import annotations

import socket

import pytest
from hearthlab.waiting import until
from mclab import inject
from mclab.box import OTHER_QUERIER_S, QUERY_INTERVAL_S, RESPONSE_S, tv
from mclab.foreign import BridgeQuerier
from mclab.groups import ANY, ANY4, ANY6
from mclab.topology import link_local
from mclab.traffic import missing
from mclab.world import MulticastWorld

LOW = {"ip4": "192.168.1.2", "ip6": "fe80::2"}
HIGH = {"ip4": "192.168.1.200", "ip6": "fe80::ffff:0:0:2"}
FAMILIES = ("ipv4", "ipv6")


def queriers(box: object) -> list[bool]:
    return [box.router(family)["is_querier"] for family in FAMILIES]  # type: ignore[attr-defined]


def test_box_gives_way_to_a_lower_address_and_comes_back(world: MulticastWorld) -> None:
    world.streams(ANY)
    box = world.box(tv())
    lan = world.tap("lan", "box")
    listeners = world.watching("tv1", ANY)
    assert queriers(box) == [True, True]

    rival = BridgeQuerier(world["rival"], **LOW)
    rival.start()
    until(lambda: queriers(box) == [False, False], "the box giving way")
    assert [box.router(family)["querier"] for family in FAMILIES] == [LOW["ip4"], LOW["ip6"]]
    assert "other_querier" in box.findings()
    for group in ANY:
        lan.quiet(group, outgoing=False)  # whoever asks forwards, so the box no longer does
    late = world.listener("tv2", "239.77.0.1")
    until(lambda: box.membership("239.77.0.1"), "a membership followed without being querier")
    late.leave()
    given_way = lan.frames[-1].seen_ns
    assert not [seen for family in (socket.AF_INET, socket.AF_INET6) for seen in lan.queries(family, outgoing=False, since=given_way)]

    rival.stop()
    until(lambda: queriers(box) == [True, True], "the box as querier again", timeout=OTHER_QUERIER_S + 30)
    for listener in listeners:
        listener.wait_for(20)
    assert "other_querier" not in box.findings()


def test_box_stays_querier_against_a_higher_address(world: MulticastWorld) -> None:
    world.streams(ANY)
    box = world.box(tv())
    lan = world.tap("lan", "box")
    listeners = world.watching("tv1", ANY)
    BridgeQuerier(world["rival"], **HIGH).start()
    for source in HIGH.values():
        lan.wait_for(lambda m: m.is_general_query and m.source == source, f"a query of the rival {source}")
    for family in FAMILIES:
        until(lambda: box.router(family)["queries_heard"] >= 1, "the rival's query counted")
    assert queriers(box) == [True, True]
    for listener in listeners:
        listener.wait_for(20)
        assert missing(listener.received) == 0


def test_query_without_a_source_wins_nothing(world: MulticastWorld) -> None:
    box = world.box(tv())
    world.injector("rival").send(inject.igmp_query(3, source="0.0.0.0"), inject.igmp_query(2, source="0.0.0.0"))
    until(lambda: box.drops("ipv4")["unspecified_query"] == 2, "the queries counted")
    assert queriers(box) == [True, True]


def test_values_of_the_other_querier_are_adopted(world: MulticastWorld) -> None:
    """Interval codes of 128 and more are floating-point numbers: 0x8F is 31 << 3."""
    box = world.box(tv())
    world.injector("rival").send(
        inject.mld_query(source="fe80::2", robustness=5, interval_code=0x8F), inject.igmp_query(3, source="192.168.1.2", robustness=6, interval_code=20)
    )
    until(lambda: queriers(box) == [False, False], "the box giving way")
    four, six = (box.router(family) for family in FAMILIES)
    assert (six["robustness"], six["query_interval_s"]) == (5, 248)
    assert (four["robustness"], four["query_interval_s"]) == (6, 20)
    assert abs(six["querier_expire_s"] - (5 * 248 + RESPONSE_S / 2)) < 60


def test_general_queries_come_at_start_and_then_each_interval(world: MulticastWorld) -> None:
    lan = world.tap("lan", "box")
    box = world.box(tv())
    for family in (socket.AF_INET, socket.AF_INET6):
        queries = until(lambda: (found := lan.queries(family, outgoing=False)) and len(found) >= 4 and found, "four general queries", timeout=60)
        times = [query.seen_ns / 1e9 for query in queries]
        # A busy machine may be late, but never early, and what was late is not made up for by a second query.
        assert times[1] - times[0] > QUERY_INTERVAL_S / 4 - 0.2
        assert times[2] - times[1] > QUERY_INTERVAL_S - 0.2
        assert times[3] - times[2] > QUERY_INTERVAL_S - 0.2
        assert times[1] - times[0] < QUERY_INTERVAL_S * 0.75
    assert queriers(box) == [True, True]


def test_no_query_from_a_tentative_address(world: MulticastWorld) -> None:
    """Duplicate address detection takes a second here: a query comes after it, from the address that passed it."""
    world["box"].ip("link set lan0 down")
    world["box"].sysctl({"ipv6/conf/lan0/accept_dad": 1, "ipv6/conf/all/accept_dad": 1, "ipv6/conf/lan0/dad_transmits": 2})
    lan = world.tap("lan", "box")
    box = world.box(tv(), serving=False)
    until(lambda: box.interface("lan0")["state"] == "down", "the box seeing the link down", timeout=30)
    world["box"].ip("link set lan0 up")
    query = lan.wait_for(lambda m: m.is_general_query and m.family == socket.AF_INET6, "an MLD query", outgoing=False)
    assert query.message.source == link_local(world["box"], "lan0")
    solicitations = [
        frame for frame in lan.frames if not frame.outgoing and frame.octets[12:14] == b"\x86\xdd" and frame.octets[20] == 58
        and frame.octets[54] == 135 and frame.octets[22:38] == bytes(16)
    ]
    assert solicitations, "there was no duplicate address detection"
    assert query.seen_ns - solicitations[0].seen_ns > 0.9e9
    until(lambda: box.router("ipv6")["is_querier"], "the box as querier")


@pytest.mark.parametrize("group", [ANY6, ANY4])
def test_suppressed_query_lowers_no_timer(world: MulticastWorld, group: str) -> None:
    """A specific query of the elected querier shortens a membership, one with the S flag does not."""
    box = world.box(tv())
    injector, ip6 = world.injector("rival"), ":" in group
    report = inject.mld_report if ip6 else inject.igmp3_report
    record = inject.Record(2, group)
    if ip6:
        injector.send(inject.mld_query(source="fe80::2", interval_code=60))
    else:
        injector.send(inject.igmp_query(3, source="192.168.1.2", interval_code=60))
    family = "ipv6" if ip6 else "ipv4"
    until(lambda: not box.router(family)["is_querier"], "the box giving way")
    injector.send(report(record))
    before = until(lambda: box.membership(group), "the membership")["expire_s"]
    assert before > 30
    if ip6:
        injector.send(inject.mld_query(group, source="fe80::2", suppress=True))
    else:
        injector.send(inject.igmp_query(3, group, source="192.168.1.2", suppress=True))
    until(lambda: box.router(family)["queries_heard"] >= 2, "the query heard")
    assert box.membership(group)["expire_s"] > 30
    if ip6:
        injector.send(inject.mld_query(group, source="fe80::2"))
    else:
        injector.send(inject.igmp_query(3, group, source="192.168.1.2"))
    until(lambda: box.membership(group) is None, "the membership ended by the other querier's question", timeout=30)
