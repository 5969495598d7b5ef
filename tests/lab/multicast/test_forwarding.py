"""Which packets go where: hop limits, scopes, sources, directions, and what nobody wants."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hearthlab.waiting import until
from mclab.box import tv
from mclab.groups import ANY, ANY4, ANY6, ONE4, ONE6, sources
from mclab.inject import udp_packet
from mclab.topology import SOURCES4, Edge
from mclab.traffic import doubled, missing
from mclab.world import MulticastWorld


def test_hop_limit_falls_by_one_and_one_is_not_forwarded(world: MulticastWorld) -> None:
    world.box(tv())
    lan = world.tap("lan", "box")
    for group in ANY:
        world.listener("tv1", group)
        world.stream(group, sources(group)[0], hops=2)
        last = world.stream(group, sources(group)[1], hops=1)
        assert lan.wait_for_packet(group, sources(group)[0]).hops == 1
        last.wait_for_more()
        assert not lan.packets(group, sources(group)[1])


def test_threshold_stops_what_has_not_far_to_go(world: MulticastWorld) -> None:
    world.box(tv(link=[{"interface": "lan0", "threshold": 10}]))
    lan = world.tap("lan", "box")
    world.listener("tv1", ANY4)
    world.stream(ANY4, SOURCES4[0], hops=16)
    near = world.stream(ANY4, SOURCES4[1], hops=9)
    lan.wait_for_packet(ANY4, SOURCES4[0])
    near.wait_for_more()
    assert not lan.packets(ANY4, SOURCES4[1])


def test_boundary_ends_a_scope(world: MulticastWorld) -> None:
    box = world.box(tv(boundary=[{"interface": "lan0", "groups": ["239.255.0.0/16"], "scope": 5}]))
    lan, home = world.tap("lan", "box"), world.tap("edge", "home")
    inside, outside = ("239.255.1.1", "ff15::1"), (ANY4, ANY6)
    streams = [world.stream(group, sources(group)[0]) for group in (*inside, *outside)]
    for group in (*inside, *outside):
        world.listener("tv1", group)
    for group in outside:
        lan.wait_for_packet(group)
    until(lambda: box.instance()["drops"]["boundary"] >= 2, "the groups stopped at the boundary")
    for stream in streams:
        stream.wait_for_more()
    assert not [packet for group in inside for packet in lan.packets(group)]
    assert not [seen for group in inside for seen in home.reports(group, outgoing=False)]


def test_rules_decide_what_crosses(world: MulticastWorld) -> None:
    """A group denied on the LAN, a source denied upstream; the first rule that matches decides."""
    denied, allowed = "239.10.10.77", "239.10.10.78"
    box = world.box(tv(rule=[
        {"verdict": "allow", "group": allowed},
        {"verdict": "deny", "interface": "lan0", "group": "239.10.10.64/26"},
        {"verdict": "deny", "interface": "up0", "source": SOURCES4[1]},
    ]))
    lan = world.tap("lan", "box")
    streams = [world.stream(group, SOURCES4[0]) for group in (denied, allowed, ANY4)] + [world.stream(ANY4, SOURCES4[1])]
    for group in (denied, allowed, ANY4):
        world.listener("tv1", group)
    for group in (allowed, ANY4):
        lan.wait_for_packet(group, SOURCES4[0])
    until(lambda: box.instance()["drops"]["denied_by_rule"] >= 1, "the denied group counted")
    for stream in streams:
        stream.wait_for_more()
    assert not lan.packets(denied)
    assert not lan.packets(ANY4, SOURCES4[1])


@pytest.mark.parametrize("allowed", [False, True])
def test_streams_of_the_home(world: MulticastWorld, allowed: bool) -> None:
    """They go to the other downstreams that want them, never back, and upstream only where that was allowed."""
    world.box(tv(downstream=["lan0", "lan1"], send_upstream=allowed))
    lan, home = world.tap("lan", "box"), world.tap("edge", "home")
    for group, source in ((ANY6, "2001:db8:1::21"), (ANY4, "192.168.1.21")):
        room = world.listener("room", group)
        world.listener("tv2", group)
        stream = world.stream(group, source, space="tv1", hops=9)
        datagrams = room.wait_for(30)
        assert (missing(datagrams), doubled(datagrams)) == (0, 0)
        if allowed:
            assert home.wait_for_packet(group, outgoing=False).hops == 8
        stream.wait_for_more()
        assert bool(home.packets(group, outgoing=False)) == allowed
        assert not lan.packets(group, outgoing=False), "it went back to where it came from"


def test_unwanted_streams_cost_a_bounded_number_of_entries(raised: Callable[[Edge], MulticastWorld]) -> None:
    world = raised(Edge.CABLE)
    box = world.box(tv(max_unwanted_routes=8))
    lan = world.tap("lan", "box")
    unwanted = [f"239.50.0.{number}" for number in range(1, 8)] + [f"ff1e::50:{number}" for number in range(1, 8)]
    streams = [world.stream(group, sources(group)[0], rate=20) for group in unwanted]
    for stream in streams:
        stream.wait_for_more(20)
    routes = until(lambda: (found := box.instance()["route"]) and found, "negative entries")
    assert all(route["kind"] == "negative" and not route["outgoing_interface"] for route in routes)
    assert len(routes) <= 8
    kept = [line for line in box.kernel_routes().splitlines() if "State: resolved" in line]
    assert len(kept) <= 8 + 1, "one may be on its way in while another goes out"
    assert not [packet for group in unwanted for packet in lan.packets(group)]
    wanted = world.listener("tv1", unwanted[0])
    wanted.wait_for(20)
    assert wanted.received[0].sent_ns > wanted.joined_ns


def test_packets_of_impossible_sources_are_not_forwarded(raised: Callable[[Edge], MulticastWorld]) -> None:
    """Made by hand, since no kernel sends them: loopback, link-local, unspecified and multicast sources."""
    world = raised(Edge.CABLE)
    box = world.box(tv())
    lan = world.tap("lan", "box")
    for group in ANY:
        world.listener("tv1", group)
        until(lambda: box.membership(group), f"the membership of {group}")
    provider = world.injector("provider")
    bad = {ANY4: ("127.0.0.1", "169.254.1.1", "224.1.1.1", "0.0.0.0"), ANY6: ("::1", "fe80::77", "ff02::1", "::")}
    for group in ANY:
        for _ in range(3):  # the first packet of a source that nobody named is spent on asking for a route
            for number, source in enumerate(bad[group]):
                provider.send(udp_packet(source, group, number))
        good = sources(group)[2]

        def arrives() -> bool:
            provider.send(udp_packet(good, group, 99))
            return bool(lan.packets(group))

        until(arrives, f"a packet of {good}")
        assert {packet.source for packet in lan.packets(group)} == {good}


def test_stream_on_the_wrong_interface_makes_no_route(world: MulticastWorld) -> None:
    """The LAN sends what the provider sends, under the provider's address: the provider's goes on, the other does not."""
    box = world.box(tv(downstream=["lan0", "lan1"]))
    world.stream(ANY4, SOURCES4[0])
    room, tap = world.listener("room", ANY4), world.tap("room", "eth0")
    room.wait_for(10)
    forger = world.injector("tv1")
    for number in range(20):
        forger.send(udp_packet(SOURCES4[0], ANY4, 10_000_000 + number))
    until(lambda: any(route["wrong_interface"] for route in box.routes(ANY4)), "the forged packets counted", timeout=60)
    room.wait_for(20)
    assert not [packet for packet in tap.packets(ANY4) if packet.datagram.number >= 10_000_000]
    assert [route["incoming_interface"] for route in box.routes(ANY4)] == ["up0"]


def test_static_routes_and_joins(world: MulticastWorld) -> None:
    """As smcroute has them: forwarded though nobody listens, a prefix too; joined though nobody listens."""
    box = world.box(tv(
        route=[{"from": "up0", "to": ["lan0"], "group": "239.20.0.0/24"}, {"from": "up0", "to": ["lan0"], "group": ONE6, "source": sources(ONE6)[0]}],
        join=[{"group": "239.20.0.5"}, {"group": ONE6, "source": sources(ONE6)[0]}, {"group": ONE4, "source": SOURCES4[0]}],
    ))
    home, lan = world.tap("edge", "home"), world.tap("lan", "box")
    streams = [world.stream(group, sources(group)[0]) for group in ("239.20.0.5", ONE6, ONE4)]
    lan.wait_for_packet("239.20.0.5")
    lan.wait_for_packet(ONE6)
    home.wait_for_packet(ONE4)
    for stream in streams:
        stream.wait_for_more()
    assert not lan.packets(ONE4), "a join alone forwards nothing"
    assert box.routes(ONE6)[0]["kind"] == "static"
