"""What the box says of itself: the status as text and JSON, the diagnosis in words, metrics, the dump on a signal."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from hearthlab.player import get
from hearthlab.waiting import until
from mclab.box import tv
from mclab.groups import ALL, ANY4, ANY6, ONE4, ONE6, sources, wanted_sources
from mclab.topology import SOURCES4, Edge
from mclab.world import MulticastWorld


def test_status_tells_who_wants_what_and_what_flows(world: MulticastWorld) -> None:
    world.streams(ALL)
    box = world.box(tv())
    listeners = [world.listener("tv1", group, *wanted_sources(group)) for group in ALL]
    for listener in listeners:
        listener.wait_for(20)
    for group in ALL:
        known = until(lambda: box.membership(group), f"{group} in the status")
        hosts = known["host"]
        assert len(hosts) == 1
        assert hosts[0]["host_address"].startswith("fe80::") if ":" in group else hosts[0]["host_address"] == "192.168.1.21"
        merged = box.group(group)
        assert [row["interface_name"] for row in merged["upstream_interface"]] == ["up0"]
        assert [row["interface_name"] for row in merged["downstream_interface"]] == ["lan0"]
        route = box.routes(group)[0]
        assert (route["incoming_interface"], route["outgoing_interface"], route["kind"]) == ("up0", ["lan0"], "listened")
    until(lambda: all(box.group(group)["packets"] > 0 for group in ALL), "packets counted", timeout=60)
    assert box.program.ask("multicast", "show").keys() == box.show().keys()
    text = box.program.call("multicast", "show")
    for word in (*ALL, "up0", "lan0", sources(ONE6)[0], "192.168.1.21"):
        assert word in text, word


def test_diagnosis_of_joined_and_no_packets(world: MulticastWorld) -> None:
    box = world.box(tv())
    world.listener("tv1", ANY4)
    told = until(lambda: box.findings().get("no_packets"), "the finding", timeout=60)
    assert ANY4 in told


def test_diagnosis_of_another_source(raised: Callable[[Edge], MulticastWorld]) -> None:
    world = raised(Edge.CABLE)
    world.stream(ONE4, SOURCES4[1])
    box = world.box(tv())
    world.listener("tv1", ONE4, SOURCES4[0])
    told = until(lambda: box.findings().get("other_source"), "the finding", timeout=60)
    assert SOURCES4[1] in told and ONE4 in told


def test_metrics_are_for_the_machine_itself(world: MulticastWorld) -> None:
    world.stream(ANY6, sources(ANY6)[0])
    box = world.box(tv())
    world.listener("tv1", ANY6).wait_for(10)
    answer = get(world["box"], "127.0.0.1", 8872, "/metrics")
    assert answer.status == 200
    assert 'hearthcast_multicast_querier{' in answer.text
    assert get(world["tv1"], "192.168.1.10", 8872, "/metrics").status == 403
    assert box.program.supervisor.starts == 1


def test_dump_on_a_signal(world: MulticastWorld) -> None:
    world.stream(ANY6, sources(ANY6)[0])
    box = world.box(tv())
    world.listener("tv1", ANY6).wait_for(10)
    before = box.program.log().count(ANY6)
    os.kill(box.program.supervisor.pid, signal.SIGUSR1)
    until(lambda: box.program.log().count(ANY6) > before and "lan0" in box.program.log(), "the dump in the log")
