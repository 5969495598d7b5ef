"""Cables pulled, addresses changed, interfaces made anew, the daemon killed: streams come back and nothing stale flows."""

from __future__ import annotations

import time

import pytest
from hearthlab.waiting import until
from mclab.box import Box, tv
from mclab.groups import ALL, ANY4, ANY6, ONE4, ONE6, sources, wanted_sources
from mclab.messages import TO_IN
from mclab.tap import Tap
from mclab.traffic import Listener
from mclab.world import MulticastWorld


def watching(world: MulticastWorld, **changes: object) -> tuple[Box, Tap, list[Listener]]:
    """A running box and a host that gets all four channels, and a tap on the box's side of the LAN."""
    world.streams(ALL)
    box = world.box(tv(**changes))
    lan = world.tap("lan", "box")
    listeners = world.watching("tv1", ALL)
    return box, lan, listeners


def come_back(listeners: list[Listener], since: int) -> None:
    """Every listener receives packets sent after the given time."""
    for listener in listeners:
        until(lambda: sum(datagram.sent_ns > since for datagram in listener.received) >= 20, f"{listener.group} again", timeout=60, pause=0.02)


def test_lan_cable_pulled_and_put_back(world: MulticastWorld) -> None:
    box, _, listeners = watching(world, downstream=["lan0", "lan1"])
    room = [world.listener("room", group, *wanted_sources(group)) for group in ALL]
    for listener in room:
        listener.wait_for(5)
    home = world.tap("edge", "home")
    world.topology.pull("box", "lan0")
    until(lambda: box.interface("lan0")["state"] == "down", "the link's failure seen")
    until(lambda: not any("lan0" in route["outgoing_interface"] for group in ALL for route in box.routes(group)), "lan0 out of every route", timeout=10)
    plugged = time.monotonic_ns()
    tv1 = world.tap("tv1", "eth0")
    world.topology.plug("box", "lan0")
    tv1.wait_for(lambda m: m.is_general_query and m.source == "192.168.1.10", "a query at once", since=plugged)
    come_back(listeners, plugged)
    for listener in room:
        listener.wait_for(10)
        assert missing_after(listener, 0) == 0, "the other link was disturbed"
    assert not home.messages(lambda m: any(r.type == TO_IN and not r.sources for r in m.records), outgoing=False), "a group was left that somebody still wanted"


def missing_after(listener: Listener, since: int) -> int:
    numbers = [datagram.number for datagram in listener.received if datagram.sent_ns >= since]
    return max(numbers) - min(numbers) + 1 - len(set(numbers))


def test_upstream_cable_pulled_and_put_back(world: MulticastWorld) -> None:
    box, lan, listeners = watching(world)
    world.topology.pull("box", "up0")
    until(lambda: box.interface("up0")["state"] == "down", "the link's failure seen")
    for group in ALL:
        lan.quiet(group)
        assert box.membership(group), "the membership went with the upstream"
    plugged = time.monotonic_ns()
    home = world.tap("edge", "home")
    world.topology.plug("box", "up0")
    for group in ALL:
        home.wait_for(lambda m: m.is_report and m.speaks_of(group), f"{group} reported again", outgoing=False, since=plugged)
    come_back(listeners, plugged)


def test_upstream_renumbered(world: MulticastWorld) -> None:
    """New addresses of both families and a new link-local one: everything is reported from them, and flows on."""
    box, _, listeners = watching(world)
    home = world.tap("edge", "home")
    changed = time.monotonic_ns()
    world["box"].ip(
        "address flush dev up0", "address add 10.64.0.77/24 dev up0", "address add 2001:db8:64::77/64 dev up0 nodad", "address add fe80::77/64 dev up0 nodad",
    )
    for group in ALL:
        source = "fe80::77" if ":" in group else "10.64.0.77"
        home.wait_for(lambda m: m.is_report and m.speaks_of(group) and m.source == source, f"{group} reported from {source}", outgoing=False, since=changed)
    come_back(listeners, time.monotonic_ns())
    assert all(box.membership(group) for group in ALL)


@pytest.mark.parametrize("interface", ["lan0", "up0"])
def test_interface_deleted_and_made_anew(world: MulticastWorld, interface: str) -> None:
    box, _, listeners = watching(world)
    index = box.interface(interface)["index"]
    world.topology.replace("box", interface)
    made = time.monotonic_ns()
    until(lambda: box.interface(interface).get("index") not in (None, index), "the new interface under its old name")
    until(lambda: box.interface(interface)["state"] == "up", "the new interface up")
    come_back(listeners, made)
    until(lambda: all(route["incoming_interface"] == "up0" for group in ALL for route in box.routes(group)), "routes by the new index")


def test_interface_that_appears_late(world: MulticastWorld) -> None:
    """It is in the settings and not on the machine: the box says so, and serves it when it comes."""
    world.streams(ALL)
    world["box"].ip("link delete lan0")
    box = world.box(tv(), serving=False)
    until(lambda: box.interface("lan0")["state"] == "absent", "the absent interface in the status")
    assert "lan0" in until(lambda: box.findings().get("interface_missing"), "the finding")
    listeners = [world.listener("tv1", group, *wanted_sources(group)) for group in ALL]
    world.topology.create("box", "lan0")
    come_back(listeners, time.monotonic_ns())
    assert "interface_missing" not in box.findings()


def test_kill_and_restart_forward_nothing_stale(world: MulticastWorld) -> None:
    """While it is dead the kernel forwards nothing; after the restart only what somebody still wants flows."""
    box, lan, listeners = watching(world)
    gone = [listener for listener in listeners if listener.group in (ONE6, ANY4)]
    kept = [listener for listener in listeners if listener.group in (ANY6, ONE4)]
    world.topology.pull("tv1", "eth0")  # so that the dead box's kernel cannot be told, and no query is answered
    starts = box.program.supervisor.starts
    box.program.supervisor.kill()
    for listener in gone:
        listener.leave()
    box.program.supervisor.wait_for_starts(starts + 1)
    dead = time.monotonic_ns()
    box.wait_until_serving()
    assert not [
        packet for group in ALL for packet in lan.packets(group) if packet.datagram.sent_ns > dead
    ], "packets were forwarded though nobody had asked since the restart"
    plugged = time.monotonic_ns()
    world.topology.plug("tv1", "eth0")
    come_back(kept, plugged)
    for listener in kept:
        assert not [datagram for datagram in listener.received if dead < datagram.sent_ns < plugged], "an old packet was delivered"
    assert not [packet for listener in gone for packet in lan.packets(listener.group) if packet.datagram.sent_ns > dead]


def test_orderly_end_leaves_everything(world: MulticastWorld) -> None:
    box, lan, _ = watching(world)
    home = world.tap("edge", "home")
    assert "up0" in box.kernel_routes()
    stopped = time.monotonic_ns()
    box.stop()
    for group in ALL:
        home.wait_for(
            lambda m: any(r.group == group and r.type in (3, 6) for r in m.records), f"{group} left upstream", outgoing=False, since=stopped
        )
        lan.quiet(group)
    assert "up0" not in box.kernel_routes()
    assert "lookup" not in "".join(line for line in world["box"].run("ip", "rule", "show").splitlines() if "up0" in line)
