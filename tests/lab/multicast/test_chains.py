"""The box beside other multicast routers: FRR's pimd and smcroute above, smcroute and other Hearthcasts below and beside."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hearthlab.waiting import until
from mclab.box import OTHER_QUERIER_S, tv
from mclab.foreign import Frr, Smcroute
from mclab.groups import ALL, ANY, ONE4, ONE6, sources, wanted_sources
from mclab.topology import SOURCES4, SOURCES6, Edge
from mclab.traffic import doubled, missing
from mclab.world import MulticastWorld

MakeWorld = Callable[[Edge], MulticastWorld]


def flows_and_stops(world: MulticastWorld, place: str, groups: tuple[str, ...], watched: tuple[str, str]) -> None:
    """Listeners get every packet once, and after they left nothing more passes the watched interface."""
    tap = world.tap(*watched)
    listeners = [world.listener(place, group, *wanted_sources(group)) for group in groups]
    for listener in listeners:
        datagrams = listener.wait_for(50, timeout=60)
        assert (missing(datagrams), doubled(datagrams)) == (0, 0), listener.group
        assert listener.received[0].sent_ns > listener.joined_ns
    for listener in listeners:
        listener.leave()
        tap.quiet(listener.group, timeout=60)


def test_frr_above_routes_what_the_box_asks_for(raised: MakeWorld) -> None:
    world = raised(Edge.ROUTER)
    frr = Frr(world["edge"], world.folder / "frr", pim=("provider",), igmp=("home",))
    world.ending(frr.stop)
    world.logs["frr"] = frr.log
    for source in SOURCES4[:2]:
        world.stream(ONE4, source)
    box = world.box(tv())
    flows_and_stops(world, "tv1", (ONE4,), ("edge", "home"))
    both = world.listener("tv1", ONE4, *SOURCES4[:2])
    lan = world.tap("lan", "box")
    for source in SOURCES4[:2]:
        lan.wait_for_packet(ONE4, source, timeout=60)
    shown = frr.show("ip", "igmp", "sources")
    assert all(source in str(shown) for source in SOURCES4[:2]), shown
    assert not box.interface("up0")["families"][0]["older"]
    both.leave()
    lan.quiet(ONE4, timeout=60)


def test_frr_of_igmp_version_2_above_is_answered_in_it(raised: MakeWorld) -> None:
    """Such a querier cannot be told sources; the status says so."""
    world = raised(Edge.ROUTER)
    frr = Frr(world["edge"], world.folder / "frr", pim=("provider",), igmp=("home",), version=2)
    world.ending(frr.stop)
    world.logs["frr"] = frr.log
    home = world.tap("edge", "home")
    box = world.box(tv())
    home.wait_for(lambda m: m.is_general_query and m.version == 2, "FRR's query", timeout=60)
    until(lambda: box.interface("up0")["families"][0]["older"], "the older querier in the status")
    world.listener("tv1", ONE4, SOURCES4[0])
    report = home.wait_for(lambda m: m.is_report and m.speaks_of(ONE4), "the report upstream", outgoing=False)
    assert report.message.kind.value == "IGMPv2 report"
    assert "older_querier" in box.findings()


@pytest.mark.parametrize("group", [ONE6, ONE4])
def test_smcroute_above_sends_and_below_takes(raised: MakeWorld, group: str) -> None:
    """Above, a static route that asks nobody; below, a router that joins by itself and forwards to the den."""
    world = raised(Edge.ROUTER)
    source = sources(group)[0]
    above = Smcroute(
        world["edge"], world.folder / "above", "phyint provider enable", "phyint home enable",
        f"mroute from provider source {source} group {group} to home",
    )
    world.ending(above.stop)
    world.stream(group, source)
    box = world.box(tv())
    below = Smcroute(
        world["router2"], world.folder / "below", "phyint lan0 enable", "phyint den0 enable",
        f"mgroup from lan0 source {source} group {group}", f"mroute from lan0 source {source} group {group} to den0",
    )
    world.ending(below.stop)
    den = world.listener("den", group, source)
    datagrams = den.wait_for(50)
    assert (missing(datagrams), doubled(datagrams)) == (0, 0)
    assert box.membership(group)["host"][0]["source_address"] == [source]
    lan = world.tap("lan", "box")
    below.stop()
    lan.quiet(group)


def test_hearthcast_above_and_below(raised: MakeWorld) -> None:
    """Three of them in a row: what the den wants goes up step by step, and only that comes down."""
    world = raised(Edge.ROUTER)
    for group in ALL:
        world.stream(group, sources(group)[0], hops=9)
    world.box(tv(upstream=["provider"], downstream=["home"]), place="edge")
    world.box(tv())
    world.box(tv(upstream=["lan0"], downstream=["den0"]), place="router2")
    den = world.tap("den", "eth0")
    flows_and_stops(world, "den", ALL, ("edge", "home"))
    assert {packet.hops for group in ALL for packet in den.packets(group)} == {6}


def test_two_proxies_on_one_lan_deliver_each_packet_once(world: MulticastWorld) -> None:
    """The one that asks forwards; when it dies, the other takes over."""
    world.streams(ANY)
    first = world.box(tv())
    second = world.box(tv(), place="router2")
    until(lambda: not any(second.router(family)["is_querier"] for family in ("ipv4", "ipv6")), "one querier for the LAN")
    tap = world.tap("tv1", "eth0")
    listeners = [world.listener("tv1", group) for group in ANY]
    for listener in listeners:
        listener.wait_for(100)
        packets = [packet.datagram for packet in tap.packets(listener.group)]
        assert (missing(packets), doubled(packets)) == (0, 0), listener.group
    assert all(second.membership(group) for group in ANY), "the other proxy follows the memberships too"
    assert first.router("ipv6")["is_querier"]
    first.stop()
    until(lambda: all(second.router(family)["is_querier"] for family in ("ipv4", "ipv6")), "the second as querier", timeout=OTHER_QUERIER_S + 30)
    for listener in listeners:
        datagrams = listener.wait_for(50)
        assert doubled(datagrams) == 0


def test_sources_named_below_are_named_above(raised: MakeWorld) -> None:
    """Through two boxes, a listener that refuses one source gets all others of that group."""
    world = raised(Edge.ROUTER)
    group = "ff1e::8000:4"
    for source in SOURCES6[:2]:
        world.stream(group, source)
    upper = world.box(tv(upstream=["provider"], downstream=["home"]), place="edge")
    world.box(tv())
    home = world.tap("edge", "home")
    world.listener("tv1", group, exclude=(SOURCES6[0],)).wait_for(30)
    known = until(lambda: upper.membership(group, "home"), "the membership at the upper box")
    assert known["filter_mode"] == "exclude"
    assert [source["source_address"] for source in known["source"]] == [SOURCES6[0]]
    home.quiet(group, SOURCES6[0])
    assert home.packets(group, SOURCES6[1])
