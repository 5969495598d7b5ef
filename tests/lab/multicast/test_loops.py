"""Upstream and downstream on one wire: the box finds out, stops forwarding there, and says so."""

from __future__ import annotations

from collections.abc import Callable

from hearthlab.waiting import until
from mclab.box import OTHER_QUERIER_S, QUERY_INTERVAL_S, ROBUSTNESS, tv
from mclab.groups import ANY, sources
from mclab.topology import Edge
from mclab.traffic import missing
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
    world.topology.unbridge_home_from_edge()
    # As long as a membership lasts without a report: then the box has asked often enough to have heard itself.
    until(lambda: box.interface("lan0")["state"] == "up", "the end of the loop seen", timeout=QUERY_INTERVAL_S * ROBUSTNESS + 60)
    assert "loop" not in box.findings()
    for listener in listeners:
        listener.wait_for(20, timeout=60)


def test_interfaces_that_this_machine_joins_are_a_loop(world: MulticastWorld) -> None:
    """A MACVLAN on the upstream is the upstream's link; one on an interface that has no part in it is not."""
    world.stream(ANY[0], sources(ANY[0])[0])
    box = world.box(tv(downstream=["lan0", "second0"]))
    listener = world.listener("tv1", ANY[0])
    listener.wait_for(20)
    world["box"].ip("link add link up0 name second0 type macvlan mode bridge", "link set second0 up")
    until(lambda: box.interface("second0")["state"] == "looped", "the MACVLAN refused", timeout=30)
    told = box.findings()["loop"]
    assert "second0" in told and "this machine itself joins them" in told
    alarm = "Interfaces second0 and up0 are joined inside this machine"
    assert alarm in box.program.log()
    assert "second0" not in box.kernel_routes()
    world["box"].ip("link delete second0", "link add link up1 name second0 type macvlan mode bridge", "link set second0 up")
    until(lambda: box.interface("second0")["state"] == "up", "the other MACVLAN served", timeout=30)
    assert "loop" not in box.findings()
    listener.wait_for(20)
    assert missing(listener.received) == 0, "the other downstream was disturbed"


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
