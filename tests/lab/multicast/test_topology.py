"""The multicast lab carries what it should and nothing else, before any proxy is blamed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from mclab.foreign import forwarding_entries
from hearthlab.waiting import until
from mclab.topology import SECOND4, SOURCES4, SOURCES6, Edge, addresses_of
from mclab.traffic import doubled, missing
from mclab.world import MulticastWorld

GROUPS = (("ff3e::8000:1", SOURCES6[0]), ("232.10.10.3", SOURCES4[0]), ("ff1e::8000:4", None), ("239.10.10.2", None))


def test_snooping_edge_passes_what_the_box_asks_for_alone(world: MulticastWorld) -> None:
    streams = [world.stream(group, SOURCES6[0] if ":" in group else SOURCES4[0]) for group, _ in GROUPS]
    other = world.stream("239.99.0.1", SOURCES4[0])
    home = world.tap("edge", "home")
    for stream in (*streams, other):
        stream.wait_for_more()
    assert all(not home.packets(stream.group) for stream in streams), "the edge is open though nobody asked"
    listeners = [world.listener("box", group, *([source] if source else []), interface="up0") for group, source in GROUPS]
    for listener in listeners:
        datagrams = listener.wait_for(20)
        assert (missing(datagrams), doubled(datagrams)) == (0, 0)
    assert not home.packets("239.99.0.1")
    known = {(entry["grp"], entry.get("filter_mode")) for entry in forwarding_entries(world["edge"], "edge") if entry["port"] == "home"}
    assert known >= {("ff3e::8000:1", "include"), ("232.10.10.3", "include"), ("ff1e::8000:4", "exclude"), ("239.10.10.2", "exclude")}
    for listener in listeners:
        listener.leave()
    for group, _ in GROUPS:
        home.quiet(group)


def test_cable_edge_passes_everything_and_asks_nothing(raised: Callable[[Edge], MulticastWorld]) -> None:
    world = raised(Edge.CABLE)
    home = world.tap("edge", "home")
    stream = world.stream("239.99.0.1", SOURCES4[0])
    home.wait_for_packet(stream.group)
    assert not home.messages(lambda message: message.kind.value == "query")


def test_second_provider_reaches_the_box_directly(world: MulticastWorld) -> None:
    world.stream("232.10.10.9", SECOND4, space="provider2")
    assert world.listener("box", "232.10.10.9", SECOND4, interface="up1").wait_for_first().number >= 0


@pytest.mark.parametrize(("space", "interface"), [("tv1", "eth0"), ("tv2", "eth0"), ("rival", "eth0"), ("router2", "lan0")])
def test_lan_carries_a_stream_of_the_box_to_everybody(world: MulticastWorld, space: str, interface: str) -> None:
    tap = world.tap(space, interface)
    world.stream("ff1e::77", "2001:db8:1::10", space="box", interface="lan0", hops=9)
    packet = tap.wait_for_packet("ff1e::77")
    assert (packet.hops, packet.outgoing, packet.source) == (9, False, "2001:db8:1::10")


def test_pulled_cable_and_new_one_are_noticed(world: MulticastWorld) -> None:
    world.stream("239.10.10.2", SOURCES4[0])
    listener = world.listener("box", "239.10.10.2", interface="up0")
    listener.wait_for_first()
    world.topology.pull("box", "up0")
    assert "NO-CARRIER" in world["box"].run("ip", "link", "show", "up0")
    before = len(listener.received)
    world.topology.plug("box", "up0")
    listener.wait_for(20)
    assert len(listener.received) > before


@pytest.mark.parametrize("interface", ["up0", "lan0"])
def test_interface_made_anew_has_its_place_and_another_index(world: MulticastWorld, interface: str) -> None:
    before = world["box"].index_of(interface)
    addresses = {item["local"] for item in addresses_of(world["box"], interface) if item["scope"] == "global"}
    world.topology.replace("box", interface)
    assert world["box"].index_of(interface) != before
    assert {item["local"] for item in addresses_of(world["box"], interface) if item["scope"] == "global"} == addresses
    if interface == "up0":
        world.stream("239.10.10.2", SOURCES4[0])
        world.listener("box", "239.10.10.2", interface="up0").wait_for(10)
    else:
        tap = world.tap("tv1", "eth0")
        world.stream("ff1e::77", "2001:db8:1::10", space="box", interface="lan0")
        tap.wait_for_packet("ff1e::77")


def test_wrong_cable_makes_lan_and_edge_one_network(world: MulticastWorld) -> None:
    tap = world.tap("edge", "home")
    world.listener("box", "ff1e::77", interface="up0")
    stream = world.stream("ff1e::77", "2001:db8:1::21", space="tv1")
    stream.wait_for_more()
    assert not tap.packets("ff1e::77")
    world.topology.bridge_home_to_edge()
    tap.wait_for_packet("ff1e::77")
    world.topology.unbridge_home_from_edge()
    tap.quiet("ff1e::77")


def test_packets_of_the_lab_are_numbered_without_a_gap(world: MulticastWorld) -> None:
    tap = world.tap("edge", "provider")
    world.stream("239.10.10.2", SOURCES4[0], rate=200)
    until(lambda: len(tap.packets("239.10.10.2")) >= 100, "packets")
    datagrams = [packet.datagram for packet in tap.packets("239.10.10.2")]
    assert (missing(datagrams), doubled(datagrams)) == (0, 0)
    assert missing(datagrams[:10] + datagrams[12:]) == 2
    assert doubled(datagrams + datagrams[:3]) == 3
    assert all(0 <= datagram.seen_ns - datagram.sent_ns < 5e9 for datagram in datagrams)
