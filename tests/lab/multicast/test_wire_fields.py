"""What the box puts on the wire, field by field in tshark's reading; and what bridges that snoop make of it."""

from __future__ import annotations

import json
import socket

from hearthlab.waiting import until
from mclab.box import LAST_LISTENER_S, QUERY_INTERVAL_S, RESPONSE_S, ROBUSTNESS, tv
from mclab.foreign import forwarding_entries
from mclab.groups import ALL, ANY4, ANY6, ONE4, ONE6, sources, wanted_sources
from mclab.inject import igmp3_report, mld_report
from mclab.messages import IS_EX, Kind, Record
from mclab.tap import Seen
from mclab.topology import addresses_of, link_local
from mclab.world import MulticastWorld

COMMON6 = ("ipv6.src", "ipv6.dst", "ipv6.hlim", "ipv6.opt.router_alert", "icmpv6.checksum.status")
COMMON4 = ("ip.src", "ip.dst", "ip.ttl", "ip.opt.ra", "ip.dsfield", "ip.checksum.status", "igmp.checksum.status")


def test_general_queries_field_by_field(world: MulticastWorld) -> None:
    lan = world.tap("lan", "box")
    world.box(tv())
    for family in (socket.AF_INET, socket.AF_INET6):
        until(lambda: lan.queries(family, outgoing=False), "general queries")
    own = link_local(world["box"], "lan0")
    fields = (
        "eth.dst", *COMMON6, "icmpv6.mld.maximum_response_code", "icmpv6.mld.flag.s", "icmpv6.mld.flag.qrv", "icmpv6.mld.qqi",
        "icmpv6.mld.nb_sources", "icmpv6.mld.multicast_address",
    )
    for query in lan.fields("icmpv6.type == 130", *fields):
        assert list(query.values()) == [
            "33:33:00:00:00:01", own, "ff02::1", "1", "0", "1",
            str(int(RESPONSE_S * 1000)), "0", str(ROBUSTNESS), str(QUERY_INTERVAL_S), "0", "::",
        ]
    fields = ("eth.dst", *COMMON4, "igmp.max_resp", "igmp.s", "igmp.qrv", "igmp.qqic", "igmp.num_src", "igmp.maddr")
    for query in lan.fields("igmp.type == 0x11", *fields):
        assert list(query.values()) == [
            "01:00:5e:00:00:01", "192.168.1.10", "224.0.0.1", "1", "0", "0xc0", "1", "1",
            str(int(RESPONSE_S * 10)), "0", str(ROBUSTNESS), str(QUERY_INTERVAL_S), "0", "0.0.0.0",
        ]


def test_specific_queries_field_by_field(world: MulticastWorld) -> None:
    """After the last leave: as many as the robustness, the interval apart, of the group or of the sources that were left."""
    world.box(tv())
    lan = world.tap("lan", "box")
    listeners = {group: world.listener("tv1", group, *wanted_sources(group)) for group in ALL}
    for group in ALL:
        lan.wait_for(lambda m: m.is_report and m.speaks_of(group), f"a report of {group}")
    left = {group: listener.leave() for group, listener in listeners.items()}
    queries = {}
    for group in ALL:

        def asked() -> list[Seen] | None:
            found = lan.messages(lambda m: m.kind is Kind.QUERY and m.group == group, outgoing=False)
            return found if len(found) >= ROBUSTNESS else None

        queries[group] = until(asked, f"the questions about {group}")
        assert queries[group][1].seen_ns - queries[group][0].seen_ns > (LAST_LISTENER_S - 0.1) * 1e9
        assert queries[group][0].seen_ns > left[group]
        assert all(seen.message.sources == wanted_sources(group) for seen in queries[group])
        assert all(seen.message.destination == group for seen in queries[group])
        assert not any(seen.message.suppress for seen in queries[group])
    own = link_local(world["box"], "lan0")
    rows = lan.fields(f"icmpv6.type == 130 && ipv6.dst == {ANY6}", *COMMON6, "icmpv6.mld.maximum_response_code", "icmpv6.mld.flag.qrv")
    assert len(rows) == ROBUSTNESS
    assert all(list(row.values()) == [own, ANY6, "1", "0", "1", str(int(LAST_LISTENER_S * 1000)), str(ROBUSTNESS)] for row in rows)
    rows = lan.fields(f"igmp.type == 0x11 && ip.dst == {ONE4}", *COMMON4, "igmp.max_resp", "igmp.num_src", "igmp.saddr")
    assert len(rows) == ROBUSTNESS
    expected = ["192.168.1.10", ONE4, "1", "0", "0xc0", "1", "1", str(int(LAST_LISTENER_S * 10)), "1", sources(ONE4)[0]]
    assert all(list(row.values()) == expected for row in rows)


def test_long_times_are_floating_point(world: MulticastWorld) -> None:
    """tshark shows MLD's codes decoded and IGMP's interval as it stands: 0xE0 is 0x10 << 9, 8192 s."""
    lan = world.tap("lan", "box")
    world.box(tv(query_interval_s=8192, query_response_ms=1_000_000))
    for family in (socket.AF_INET, socket.AF_INET6):
        until(lambda: lan.queries(family, outgoing=False), "general queries")
    six = lan.queries(socket.AF_INET6, outgoing=False)[0].message
    four = lan.queries(socket.AF_INET, outgoing=False)[0].message
    assert six.interval_code == four.interval_code == 0xE0
    row = lan.fields("icmpv6.type == 130", "icmpv6.mld.maximum_response_code", "icmpv6.mld.qqi")[0]
    assert row["icmpv6.mld.qqi"] == "8192"
    assert 990_000 < int(row["icmpv6.mld.maximum_response_code"]) <= 1_000_000
    mantissa, exponent = four.response_code & 0x0F, (four.response_code >> 4) & 7
    assert four.response_code >= 128 and 9600 <= (mantissa | 0x10) << (exponent + 3) <= 10_000


def test_upstream_reports_field_by_field(world: MulticastWorld) -> None:
    world.box(tv())
    home = world.tap("edge", "home")
    for group in ALL:
        world.listener("tv1", group, *wanted_sources(group))
    for group in ALL:
        home.wait_for(lambda m: m.is_report and m.speaks_of(group), f"the report of {group} upstream", outgoing=False)
    own = link_local(world["box"], "up0")
    for group in (ONE6, ANY6):
        rows = home.fields(f"icmpv6.type == 143 && icmpv6.mldr.mar.multicast_address == {group}", *COMMON6)
        assert rows and all(list(row.values()) == [own, "ff02::16", "1", "0", "1"] for row in rows)
    for group in (ONE4, ANY4):
        rows = home.fields(f"igmp.type == 0x22 && igmp.maddr == {group}", *COMMON4)
        assert rows and all(list(row.values()) == ["10.64.0.2", "224.0.0.22", "1", "0", "0xc0", "1", "1"] for row in rows)


def test_snooping_bridges_understand_both_sides(world: MulticastWorld) -> None:
    """The LAN's switch snoops here: it learns from our queries where the router is, and passes reports and streams."""
    world["lan"].ip("link set switch type bridge mcast_snooping 1 mcast_igmp_version 3 mcast_mld_version 2")
    for port in ("tv1", "tv2", "rival"):
        world["lan"].ip(f"link set {port} type bridge_slave mcast_flood off")
    world.streams(ALL)
    lan = world.tap("lan", "box")
    world.box(tv())
    tv2 = world.tap("tv2", "eth0")
    for family in (socket.AF_INET, socket.AF_INET6):
        until(lambda: lan.queries(family, outgoing=False), "general queries")
    ports = json.loads(world["lan"].run("bridge", "-d", "-j", "mdb", "show", "dev", "switch"))
    routers = [port["port"] for part in ports for port in part.get("router", {}).get("switch", [])]
    assert "box" in routers
    listeners = [world.listener("tv1", group, *wanted_sources(group)) for group in ALL]
    for listener in listeners:
        listener.wait_for(30, timeout=60)

    def learned(space: str, bridge: str, port: str) -> dict[str, tuple[str, tuple[str, ...]]]:
        return {
            entry["grp"]: (entry["filter_mode"], tuple(source["address"] for source in entry.get("source_list", [])))
            for entry in forwarding_entries(world[space], bridge) if entry["port"] == port and "src" not in entry
        }

    expected = {group: ("include", sources(group)[:1]) if wanted_sources(group) else ("exclude", ()) for group in ALL}
    for space, bridge, port in (("lan", "switch", "tv1"), ("edge", "edge", "home")):
        until(lambda: expected.items() <= learned(space, bridge, port).items(), f"the memberships in {bridge}")
    assert not any(tv2.packets(group) for group in ALL)
    for listener in listeners:
        listener.leave()
    for space, bridge, port in (("lan", "switch", "tv1"), ("edge", "edge", "home")):
        until(lambda: not expected.keys() & learned(space, bridge, port).keys(), f"the leaves in {bridge}")


def test_link_scope_groups_stay_on_their_link(world: MulticastWorld) -> None:
    """Every host reports such groups, so they must neither show up nor go upstream. Those here are ones that the box does not
    listen to itself, as it does to that of mDNS."""
    box = world.box(tv())
    home, lan = world.tap("edge", "home"), world.tap("lan", "box")
    kept = ("ff02::1:3", "ff01::5", "224.0.0.252")
    for group in ("ff02::1:3", "224.0.0.252"):
        world.listener("tv1", group)
    world.injector("rival").send(*(mld_report(Record(IS_EX, group)) for group in kept[:2]), igmp3_report(Record(IS_EX, kept[2])))
    lan.wait_for(lambda m: m.speaks_of("ff02::1:3"), "a report of it")
    until(lambda: box.drops("ipv6")["group"] >= 2 and box.drops("ipv4")["group"] >= 1, "the reports counted")
    assert not [box.membership(group) for group in kept if box.membership(group)]
    assert not [seen for group in kept for seen in home.reports(group, outgoing=False)]
    assert not box.instance()["group"]
    assert {item["scope"] for item in addresses_of(world["box"], "lan0")} == {"link", "global"}
