"""The multicast lab carries what it should and nothing else, before any proxy is blamed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from mclab.foreign import forwarding_entries
from mclab.topology import SECOND4, SOURCES4, SOURCES6, Edge
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
