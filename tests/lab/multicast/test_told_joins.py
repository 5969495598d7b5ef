"""A cold join is told to the provider by the box itself, before its kernel does: the kernel waits for a timer first."""

from __future__ import annotations

import time

import pytest
from hearthlab.player import Player
from hearthlab.waiting import until
from mclab.away import Away, import_channels
from mclab.box import Box, tv
from mclab.groups import ALL, ANY4, ANY6, ONE4, ONE6, sources, wanted_sources
from mclab.inject import igmp_query, mld1_query
from mclab.kernel_reports import is_marked, mark_kernel_reports, silence_kernel
from mclab.messages import ALLOW, BLOCK, TO_EX, TO_IN, Kind, Record
from mclab.rights import like_the_units
from mclab.tap import Seen, Tap
from mclab.traffic import PORT
from mclab.world import MulticastWorld

TRIES = 6  # joins of which one must be told first: on a busy machine the box can sleep between joining and telling


def first_record(group: str) -> Record:
    """What RFC 3376 section 5.1 and RFC 3810 section 6.1 have for such a join."""
    wanted = wanted_sources(group)
    return Record(ALLOW if wanted else TO_EX, group, wanted)


def url(group: str) -> str:
    host = f"[{group}]" if ":" in group else group
    source = "".join(f"[{source}]" if ":" in source else source for source in wanted_sources(group))
    return f"udp://{source}@{host}:{PORT}"


def box_without_instances(world: MulticastWorld, wrapper: tuple[str, ...] | None = None) -> Box:
    box = world.box(serving=False, settings={"network": {"upstream_interface": "up0"}}, wrapper=wrapper)
    import_channels(box.program, world.folder, {group: url(group) for group in ALL})
    return box


def own_reports(home: Tap, group: str, since: int = 0) -> list[Seen]:
    """From the box's side of the provider's edge."""
    return home.reports(group, outgoing=False, since=since)


def play(away: Away, group: str) -> Player:
    player = away.play(group)
    player.wait_for_octets(4000, timeout=60)
    return player


def assert_wire(home: Tap) -> None:
    """By tshark, of all that came from the box: what routers require."""
    rows = home.fields("igmp.type == 0x22 && ip.src == 10.64.0.2", "ip.ttl", "ip.opt.type", "ip.dst", "igmp.checksum.status")
    assert rows and all(row == {"ip.ttl": "1", "ip.opt.type": "148", "ip.dst": "224.0.0.22", "igmp.checksum.status": "1"} for row in rows)
    rows = home.fields(
        "icmpv6.type == 143 && ipv6.hopopts", "ipv6.hlim", "ipv6.opt.router_alert", "ipv6.dst", "icmpv6.checksum.status", "ipv6.src"
    )
    sources6 = {row.pop("ipv6.src") for row in rows}
    wanted = {"ipv6.hlim": "1", "ipv6.opt.router_alert": "0", "ipv6.dst": "ff02::16", "icmpv6.checksum.status": "1"}
    assert rows and all(row == wanted for row in rows)
    assert all(source.startswith("fe80:") for source in sources6)


@pytest.mark.parametrize("rights", ["root", "units"])
def test_channel_of_a_device_comes_while_the_kernel_is_kept_silent(world: MulticastWorld, rights: str) -> None:
    """So it comes by the box's own report, which is one packet a join; a second viewer costs none."""
    world.streams(ALL)
    box = box_without_instances(world, like_the_units(world.binary("hearthcast-netd")) if rights == "units" else None)
    away = world.away(box)
    until(lambda: set(away.paths()) == set(ALL), "the channels in the away playlist")
    home = world.tap("edge", "home")
    silence_kernel(world["box"])
    players = []
    for group in ALL:
        players += [play(away, group), play(away, group)]
        told = [seen.message for seen in own_reports(home, group)]
        assert [message.records for message in told] == [(first_record(group),)]
    assert_wire(home)
    for player in players:
        player.close()


def test_listener_at_home_is_served_while_the_kernel_is_kept_silent(world: MulticastWorld) -> None:
    for group in ALL:
        for source in sources(group)[:2]:
            world.stream(group, source)
    world.box(tv())
    home = world.tap("edge", "home")
    silence_kernel(world["box"])
    for group in ALL:
        listener = world.listener("tv1", group, *wanted_sources(group))
        listener.wait_for(20)
        assert [seen.message.records for seen in own_reports(home, group)] == [(first_record(group),)]
    for group in (ONE6, ONE4):
        first, second = sources(group)[:2]
        world.listener("tv2", group, first, second)
        more = home.wait_for(lambda m: any(second in record.sources for record in m.records), "the second source", outgoing=False)
        assert [record for record in more.message.records] == [Record(ALLOW, group, (second,))]
    assert_wire(home)


def test_the_kernel_reports_after_the_box_and_goes_on(world: MulticastWorld) -> None:
    """The order, by a mark on what the kernel sends."""
    world.streams(ALL)
    box = box_without_instances(world)
    away = world.away(box)
    until(lambda: set(away.paths()) == set(ALL), "the channels in the away playlist")
    mark_kernel_reports(world["box"])
    home = world.tap("edge", "home")
    for group in ALL:
        in_order = 0
        for _ in range(TRIES):
            begun = time.monotonic_ns()
            player = play(away, group)
            until(lambda: [seen for seen in own_reports(home, group, begun) if is_marked(home, seen)], "the kernel's own report")
            joins = [seen for seen in own_reports(home, group, begun) if first_record(group) in seen.message.records]
            assert [is_marked(home, seen) for seen in joins].count(False) == 1, "one packet of the box"
            in_order += not is_marked(home, joins[0])
            player.close()
            home.wait_for(lambda m: any(r.group == group and r.type in (BLOCK, TO_IN) for r in m.records), "the kernel's leave", since=begun)
            if in_order:
                break
        assert in_order, f"{group} was never told before the kernel told it"


def test_older_queriers_are_told_in_their_version(world: MulticastWorld) -> None:
    world.streams(ALL)
    box = box_without_instances(world)
    away = world.away(box)
    until(lambda: set(away.paths()) == set(ALL), "the channels in the away playlist")
    home = world.tap("edge", "home")
    silence_kernel(world["box"])
    world.injector("edge", "home").send(mld1_query(), igmp_query(2, source="10.64.0.1"))
    until(lambda: "V2" in world["box"].run("cat", "/proc/net/igmp"), "the query heard by the box's kernel")
    for group in ALL:
        player = play(away, group)
        told = [seen.message for seen in own_reports(home, group)]
        assert [(message.kind, message.group, message.destination) for message in told] == [
            (Kind.REPORT1 if group in (ONE6, ANY6) else Kind.REPORT2, group, group)
        ]
        player.close()


def test_without_any_right_the_kernel_tells_as_ever(world: MulticastWorld) -> None:
    world.streams((ANY4, ONE6))
    box = box_without_instances(world, wrapper=("env",))
    away = world.away(box)
    mark_kernel_reports(world["box"])
    home = world.tap("edge", "home")
    for group in (ANY4, ONE6):
        player = play(away, group)
        assert all(is_marked(home, seen) for seen in own_reports(home, group))
        player.close()
    assert box.show()["trouble"] == []
    assert "joins_told_by_kernel" in box.program.log()
