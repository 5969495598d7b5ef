"""Upstream and downstream on one wire: the box finds out, stops forwarding there, and says so."""

from __future__ import annotations

from collections.abc import Callable

from hearthlab.waiting import until
from mclab.box import OTHER_QUERIER_S, tv
from mclab.groups import ANY
from mclab.topology import Edge
from mclab.world import MulticastWorld


def test_own_queries_heard_upstream_are_a_loop(raised: Callable[[Edge], MulticastWorld]) -> None:
    """The provider asks nothing here, so nobody but the box itself can be heard."""
    world = raised(Edge.CABLE)
    world.streams(ANY, hops=8)
    box = world.box(tv())
    listeners = world.watching("tv1", ANY)
    lan = world.tap("lan", "box")
    world.topology.bridge_home_to_edge()
    until(lambda: box.interface("lan0")["state"] == "looped", "the loop seen", timeout=30)
    assert "lan0" in until(lambda: box.findings().get("loop"), "the loop in the diagnosis")
    for group in ANY:
        lan.quiet(group, outgoing=False)
    assert "loop" in box.program.log(), "the log says it too"


def test_provider_heard_on_the_lan_is_told(world: MulticastWorld) -> None:
    """Its querier wins the LAN's election, so the box forwards nothing there, and says that the two may be one network."""
    world.streams(ANY)
    box = world.box(tv())
    listeners = world.watching("tv1", ANY)
    lan = world.tap("lan", "box")
    world.topology.bridge_home_to_edge()
    told = until(lambda: box.findings().get("same_router"), "the suspicion in the diagnosis", timeout=30)
    assert "up0" in told and "lan0" in told
    for group in ANY:
        lan.quiet(group, outgoing=False)
    world.topology.unbridge_home_from_edge()
    for family in ("ipv4", "ipv6"):
        until(lambda: box.router(family)["is_querier"], "the box as querier again", timeout=OTHER_QUERIER_S + 60)
    for listener in listeners:
        listener.wait_for(20, timeout=60)
