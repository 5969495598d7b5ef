"""The programs and kernel parts that judge the product do in this lab what they are there for."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from mclab.foreign import BridgeQuerier, Frr, Smcroute, force_versions
from mclab.messages import Kind
from mclab.topology import SOURCES4, SOURCES6, Edge
from mclab.traffic import doubled, missing
from mclab.world import MulticastWorld

ANY6, ANY4 = "ff1e::8000:4", "239.10.10.2"


@pytest.mark.parametrize(
    ("mld", "igmp", "kind6", "kind4"),
    [(0, 0, Kind.REPORT, Kind.REPORT), (1, 2, Kind.REPORT1, Kind.REPORT2), (2, 1, Kind.REPORT, Kind.REPORT1), (2, 3, Kind.REPORT, Kind.REPORT)],
)
def test_forced_host_reports_in_its_version(world: MulticastWorld, mld: int, igmp: int, kind6: Kind, kind4: Kind) -> None:
    tap = world.tap("lan", "tv1")
    force_versions(world["tv1"], mld=mld, igmp=igmp)
    world.listener("tv1", ANY6)
    world.listener("tv1", ANY4)
    for group, kind in ((ANY6, kind6), (ANY4, kind4)):
        seen = tap.wait_for(lambda message: message.is_report and message.speaks_of(group), f"a report of {group}")
        assert seen.message.kind is kind


def test_smcroute_forwards_statically_on_the_box(world: MulticastWorld) -> None:
    """The box's place works as a router between the two links: what the product must do can be done here."""
    world["box"].sysctl({"ipv6/conf/all/forwarding": 1, "ipv4/ip_forward": 1})
    smcroute = Smcroute(
        world["box"], world.folder / "smcroute", "phyint up0 enable", "phyint lan0 enable",
        f"mgroup from up0 group {ANY6}", f"mroute from up0 group {ANY6} to lan0",
        f"mgroup from up0 group {ANY4}", f"mroute from up0 group {ANY4} to lan0",
    )
    world.ending(smcroute.stop)
    world.stream(ANY6, SOURCES6[0], hops=9)
    world.stream(ANY4, SOURCES4[0], hops=9)
    tap = world.tap("tv1", "eth0")
    listeners = [world.listener("tv1", group) for group in (ANY6, ANY4)]
    for listener in listeners:
        datagrams = listener.wait_for(30)
        assert (missing(datagrams), doubled(datagrams)) == (0, 0)
        assert tap.packets(listener.group)[-1].hops == 8


def test_bridge_of_the_rival_asks_on_the_lan(world: MulticastWorld) -> None:
    tap = world.tap("tv1", "eth0")
    rival = BridgeQuerier(world["rival"], ip4="192.168.1.2", ip6="fe80::2")
    rival.start()
    four = tap.wait_for(lambda m: m.is_general_query and m.source == "192.168.1.2", "the rival's IGMP query")
    six = tap.wait_for(lambda m: m.is_general_query and m.source == "fe80::2", "the rival's MLD query")
    assert (four.message.version, six.message.version) == (3, 2)
    rival.stop()


def test_frr_routes_a_group_to_the_home(raised: Callable[[Edge], MulticastWorld]) -> None:
    world = raised(Edge.ROUTER)
    frr = Frr(world["edge"], world.folder / "frr", pim=("provider",), igmp=("home",))
    world.ending(frr.stop)
    world.logs["frr"] = frr.log
    home = world.tap("edge", "home")
    world.stream("232.10.10.3", SOURCES4[0])
    listener = world.listener("box", "232.10.10.3", SOURCES4[0], interface="up0")
    datagrams = listener.wait_for(30)
    assert doubled(datagrams) == 0
    home.wait_for(lambda message: message.is_general_query and message.source == "10.65.0.1", "a query of FRR's")
    listener.leave()
    home.quiet("232.10.10.3")
