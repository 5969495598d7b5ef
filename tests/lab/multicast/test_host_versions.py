"""Linux hosts forced to every version of MLD and IGMP are served, alone and side by side on one LAN."""

from __future__ import annotations

import pytest
from hearthlab.waiting import until
from mclab.box import tv
from mclab.foreign import force_versions
from mclab.groups import ANY, ANY4, ANY6, ONE4, ONE6, sources
from mclab.messages import TO_IN, Kind, Record
from mclab.inject import igmp_report, mld1_report
from mclab.traffic import doubled, missing
from mclab.world import MulticastWorld


# An IGMPv1 host takes up to 10 s for an answer, whatever a query allows, and never says that it leaves.
QUICK = {"query_interval_s": 2, "query_response_ms": 500}
PATIENT = {"query_interval_s": 4, "query_response_ms": 500, "robustness": 4}


@pytest.mark.parametrize(("mld", "igmp", "timing"), [(1, 1, PATIENT), (1, 2, QUICK), (2, 3, QUICK)], ids=["mld1-igmp1", "mld1-igmp2", "mld2-igmp3"])
def test_host_of_a_forced_version_is_served(world: MulticastWorld, mld: int, igmp: int, timing: dict[str, int]) -> None:
    world.streams(ANY)
    force_versions(world["tv1"], mld=mld, igmp=igmp)
    box = world.box(tv(**timing))
    lan, home = world.tap("lan", "box"), world.tap("edge", "home")
    listeners = [world.listener("tv1", group) for group in ANY]
    for listener in listeners:
        datagrams = listener.wait_for(30)
        assert (missing(datagrams), doubled(datagrams)) == (0, 0)
    known = [until(lambda: box.membership(group), f"{group} in the status") for group in ANY]
    assert [entry["version"] for entry in known] == [mld, igmp]
    assert all(entry["filter_mode"] == "exclude" for entry in known)
    lifetime = timing["query_interval_s"] * timing.get("robustness", 2) + 0.5
    # Longer than a membership lasts: it answers queries.
    listeners[1].wait_for(int(100 * (lifetime + 1)), timeout=60)
    for listener in listeners:
        assert missing(listener.received) == 0
    for listener in listeners:
        listener.leave()
        lan.quiet(listener.group, timeout=60)
        home.wait_for(lambda m: any(r.group == listener.group and r.type == TO_IN for r in m.records), "the leave upstream")


def test_hosts_of_all_versions_share_a_lan(world: MulticastWorld) -> None:
    """The old host makes its groups fall back, which costs the new host nothing; source-specific groups do not."""
    world.streams((*ANY, ONE6, ONE4))
    force_versions(world["tv1"], mld=1, igmp=2)
    box = world.box(tv())
    old = world.watching("tv1", ANY)
    new = [world.listener("tv2", group) for group in ANY]
    new += [world.listener("tv2", group, sources(group)[0]) for group in (ONE6, ONE4)]
    for listener in new:
        listener.wait_for(30)
    until(lambda: [(box.membership(group) or {}).get("version") for group in (*ANY, ONE6, ONE4)] == [1, 2, 2, 3], "each group's version")
    for listener in old:
        listener.leave()
    until(lambda: not any(entry["asking"] for family in ("ipv4", "ipv6") for entry in box.router(family)["group"]), "the questions answered")
    for listener in new:
        listener.wait_for(60)
        assert missing(listener.received) == 0, f"{listener.group}: the new host lost its stream when the old one left"


def test_group_returns_to_the_new_version_when_the_old_host_is_silent(world: MulticastWorld) -> None:
    box = world.box(tv(query_interval_s=2, query_response_ms=500))
    injector = world.injector("rival")
    for group in ANY:
        world.listener("tv2", group)
    until(lambda: [(box.membership(group) or {}).get("version") for group in ANY] == [2, 3], "the new versions")
    injector.send(mld1_report(ANY6), igmp_report(2, ANY4))
    until(lambda: [(box.membership(group) or {}).get("version") for group in ANY] == [1, 2], "the older versions")
    until(lambda: [(box.membership(group) or {}).get("version") for group in ANY] == [2, 3], "the new versions again", timeout=30)


def test_old_report_of_a_source_specific_group_is_not_heeded(world: MulticastWorld) -> None:
    box = world.box(tv())
    lan = world.tap("lan", "box")
    for group in (ONE6, ONE4):
        world.stream(group, sources(group)[1])
    injector = world.injector("rival")
    injector.send(mld1_report(ONE6), igmp_report(2, ONE4), igmp_report(1, ONE4))
    until(lambda: box.drops("ipv6")["any_source_of_ssm"] == 1 and box.drops("ipv4")["any_source_of_ssm"] == 2, "the reports counted")
    assert (box.membership(ONE6), box.membership(ONE4)) == (None, None)
    for group in (ONE6, ONE4):
        world.listener("tv2", group, sources(group)[0])
    until(lambda: [(box.membership(group) or {}).get("version") for group in (ONE6, ONE4)] == [2, 3], "the new versions")
    assert not lan.packets(ONE6) and not lan.packets(ONE4)


@pytest.mark.parametrize(("mld", "igmp"), [(1, 2), (1, 1)])
def test_box_asks_in_an_older_version_when_told_to(world: MulticastWorld, mld: int, igmp: int) -> None:
    """Then new hosts fall back too, and are served as old ones."""
    world.streams(ANY)
    world.box(tv(mld_version=mld, igmp_version=igmp))
    lan = world.tap("lan", "box")
    for family, version in ((10, mld), (2, igmp)):
        seen = lan.wait_for(lambda m: m.is_general_query and m.family == family, "a general query", outgoing=False)
        assert seen.message.version == version
    for group, kind in ((ANY6, Kind.REPORT1), (ANY4, {1: Kind.REPORT1, 2: Kind.REPORT2}[igmp])):
        listener = world.listener("tv1", group)
        listener.wait_for_first()
        lan.wait_for(lambda m: m.kind is kind and m.group == group, f"an old report of {group}")
        assert not lan.messages(lambda m: m.kind is Kind.REPORT and m.records[:1] == (Record(4, group),))
