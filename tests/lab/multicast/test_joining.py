"""Joining makes a channel flow and leaving stops it, upstream and down, for every kind of group and wish."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from hearthlab.waiting import until
from mclab.box import LEAVE_S, tv
from mclab.groups import ALL, ANY4, ANY6, ONE4, ONE6, sources, wanted_sources
from mclab.messages import ALLOW, BLOCK, IS_EX, TO_EX, TO_IN, Message
from mclab.topology import Edge
from mclab.traffic import doubled, missing
from mclab.world import MulticastWorld

PATIENCE_S = 5.0  # of a busy machine


def changes(message: Message, group: str) -> bool:
    """Whether it reports a change of the group, rather than answers a query."""
    return any(record.group == group and record.type in (TO_IN, TO_EX, ALLOW, BLOCK) for record in message.records)


def ends(message: Message, group: str) -> bool:
    return any(record.group == group and record.type in (TO_IN, BLOCK) for record in message.records)


def test_join_flows_and_leave_stops(world: MulticastWorld) -> None:
    for group in ALL:
        world.stream(group, sources(group)[0], hops=9)
    world.box(tv())
    home, lan = world.tap("edge", "home"), world.tap("lan", "box")
    listeners = [world.listener("tv1", group, *wanted_sources(group)) for group in ALL]
    for listener in listeners:
        datagrams = listener.wait_for(60)
        assert (missing(datagrams), doubled(datagrams)) == (0, 0), listener.group
        assert listener.received[0].sent_ns > listener.joined_ns, "an old packet was delivered"
        assert {packet.hops for packet in lan.packets(listener.group)} == {8}
    for listener in listeners:
        left = listener.leave()
        seen = home.wait_for(lambda message: ends(message, listener.group), f"the leave of {listener.group} upstream", since=left)
        assert (seen.seen_ns - left) / 1e9 < LEAVE_S + PATIENCE_S
        lan.quiet(listener.group)
        home.quiet(listener.group)
    assert not lan.messages(lambda message: message.is_report and any(message.speaks_of(group) for group in ALL), outgoing=False), (
        "the box reports a proxied group downstream"
    )
    assert not home.messages(lambda message: message.kind.value == "query", outgoing=False), "the box asks upstream"


def test_only_the_source_that_was_asked_for_flows(world: MulticastWorld) -> None:
    """One more source is an ALLOW and one less a BLOCK, and the first source flows through both without a gap."""
    for group in (ONE6, ONE4):
        for source in sources(group)[:2]:
            world.stream(group, source)
    world.box(tv())
    home, lan = world.tap("edge", "home"), world.tap("lan", "box")
    for group in (ONE6, ONE4):
        first, second = sources(group)[:2]
        listener = world.listener("tv1", group, first)
        listener.wait_for(30)
        assert not lan.packets(group, second)
        listener.allow(second)
        lan.wait_for_packet(group, second)
        home.wait_for(lambda m: any(r.group == group and r.type == ALLOW and second in r.sources for r in m.records), "ALLOW upstream")
        listener.drop(second)
        home.wait_for(lambda m: any(r.group == group and r.type == BLOCK and r.sources == (second,) for r in m.records), "BLOCK upstream")
        lan.quiet(group, second)
        packets = [packet.datagram for packet in lan.packets(group, first)]
        assert missing(packets) == 0, "the first source was interrupted"
        assert not home.messages(lambda m: any(r.group == group and (r.type in (TO_EX, IS_EX) or (r.type == TO_IN and not r.sources)) for r in m.records))


def test_all_but_one_source(world: MulticastWorld) -> None:
    for group in (ANY6, ANY4):
        for source in sources(group)[:2]:
            world.stream(group, source)
    box = world.box(tv())
    lan = world.tap("lan", "box")
    for group in (ANY6, ANY4):
        refused, good = sources(group)[:2]
        listener = world.listener("tv1", group, exclude=(refused,))
        listener.wait_for(30)
        lan.wait_for_packet(group, good)
        merged = until(lambda: box.group(group), f"{group} in the status")
        assert (merged["filter_mode"], merged["source_address"]) == ("exclude", [refused])
        lan.quiet(group, refused)
        listener.unblock(refused)
        lan.wait_for_packet(group, refused)


def quiet(count: Callable[[], object], for_s: float = 1.0) -> Callable[[], bool]:
    """A condition: what is counted has not changed for so long."""
    last, since = count(), time.monotonic()

    def is_quiet() -> bool:
        nonlocal last, since
        if (now := count()) != last:
            last, since = now, time.monotonic()
        return time.monotonic() - since > for_s

    return is_quiet


def test_second_listener_changes_nothing_upstream(world: MulticastWorld) -> None:
    world["box"].sysctl({"ipv6/conf/up0/mldv2_unsolicited_report_interval": 100, "ipv4/conf/up0/igmpv3_unsolicited_report_interval": 100})
    world.streams(ALL)
    box = world.box(tv())
    home, lan = world.tap("edge", "home"), world.tap("lan", "box")
    firsts = [world.listener("tv1", group, *wanted_sources(group)) for group in ALL]
    for first in firsts:
        first.wait_for_first()
        until(lambda: len(home.messages(lambda m: changes(m, first.group))) >= 2, f"{first.group} reported and repeated")

    def reported() -> dict[str, int]:
        return {group: len(home.messages(lambda m: changes(m, group))) for group in ALL}

    until(quiet(reported), "every repetition of the first joins seen")
    before = reported()
    upstream_changes = box.instance()["upstream_changes"]
    seconds = [world.listener("tv2", group, *wanted_sources(group)) for group in ALL]
    for second in seconds:
        second.wait_for(30)
    until(lambda: len((box.membership(ANY4) or {})["host"]) == 2, "both hosts tracked")
    for first in firsts:
        first.leave()
    for second in seconds:
        until(lambda: lan.messages(lambda m: m.kind.value == "query" and m.group == second.group), f"a query of {second.group}")
    until(lambda: not any(entry["asking"] for entry in box.router("ipv6")["group"] + box.router("ipv4")["group"]), "the questions answered")
    for second in seconds:
        second.wait_for(30)
        assert missing(second.received) == 0, "the second listener was interrupted"
    assert reported() == before
    assert box.instance()["upstream_changes"] == upstream_changes


def test_merge_over_two_links(world: MulticastWorld) -> None:
    """Two links want different sources: upstream is asked for both, and each link gets its own."""
    for group in (ONE6, ONE4):
        for source in sources(group):
            world.stream(group, source)
    box = world.box(tv(downstream=["lan0", "lan1"]))
    lan, room = world.tap("lan", "box"), world.tap("room", "eth0")
    for group in (ONE6, ONE4):
        first, second, third = sources(group)
        world.listener("tv1", group, first, second).wait_for_first()
        world.listener("room", group, second, third).wait_for_first()
        merged = until(lambda: (found := box.group(group)) and len(found["source_address"]) == 3 and found, f"{group} merged")
        assert (merged["filter_mode"], sorted(merged["source_address"])) == ("include", sorted(sources(group)))
        assert {row["interface_name"] for row in merged["downstream_interface"]} == {"lan0", "lan1"}
        for tap, other, own in ((lan, third, (first, second)), (room, first, (second, third))):
            for source in own:
                tap.wait_for_packet(group, source)
            assert not tap.packets(group, other)


@pytest.mark.parametrize("group", [ONE6, ANY4])
def test_rejoining_brings_no_stale_packet(raised: Callable[[Edge], MulticastWorld], group: str) -> None:
    """The provider sends all the time and the edge lets everything through, so the kernel could keep a backlog."""
    world = raised(Edge.CABLE)
    stream = world.stream(group, sources(group)[0])
    world.box(tv())
    lan = world.tap("lan", "box")
    stream.wait_for_more()
    silent_since = 0
    for _ in range(4):
        listener = world.listener("tv1", group, *wanted_sources(group))
        listener.wait_for(10)
        assert listener.received[0].sent_ns > listener.joined_ns
        sent = [packet.datagram.sent_ns for packet in lan.packets(group)]
        assert not [moment for moment in sent if silent_since < moment < listener.joined_ns], "sent while nobody wanted it"
        assert missing(listener.received) == 0
        listener.leave()
        silent_since = lan.quiet(group, for_s=0.3)


@pytest.mark.parametrize("fast", [False, True])
def test_fast_leave_spares_the_second_set_top_box(world: MulticastWorld, fast: bool) -> None:
    """With the standards' own timer of 2 s, so that a fast leave is told from a slow one on any machine."""
    world.streams(ALL)
    box = world.box(tv(fast_leave=fast, query_interval_s=2, query_response_ms=500, last_listener_query_ms=1000))
    lan = world.tap("lan", "box")
    firsts = [world.listener("tv1", group, *wanted_sources(group)) for group in ALL]
    seconds = [world.listener("tv2", group, *wanted_sources(group)) for group in ALL]
    for listener in (*firsts, *seconds):
        listener.wait_for_first()
    for group in ALL:
        until(lambda: len((box.membership(group) or {}).get("host", ())) == 2, f"both hosts of {group}")
    # It waits until a round of start-up queries has told who is there; the third query is after that.
    until(lambda: all(box.router(family)["queries_sent"] >= 3 for family in ("ipv4", "ipv6")), "the start-up queries")
    for first in firsts:
        first.leave()
    for second in seconds:
        second.wait_for(30)
        assert missing(second.received) == 0
    for second in seconds:
        left = second.leave()
        last = lan.quiet(second.group, for_s=0.5)
        took = (last - left) / 1e9
        assert took < 1.0 if fast else 1.0 < took < 2.0 + PATIENCE_S, second.group
