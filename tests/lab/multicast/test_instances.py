"""Several instances and several upstreams, and settings that change while streams run."""

from __future__ import annotations

import pytest
from hearthlab.program import Refused
from hearthlab.waiting import until
from mclab.box import tv
from mclab.groups import ALL, ANY4, ONE4, sources, wanted_sources
from mclab.topology import SECOND4, SECOND6, SOURCES4, SOURCES6
from mclab.traffic import doubled, missing
from mclab.world import MulticastWorld

SECOND = {"name": "second", "upstream": ["up1"], "downstream": ["lan1"]}


def test_instances_do_not_see_each_other(world: MulticastWorld) -> None:
    """Two providers send the same groups; each home network has its own."""
    for group in (ANY4, "ff1e::8000:4"):
        world.stream(group, sources(group)[0])
        world.stream(group, SECOND6 if ":" in group else SECOND4, space="provider2")
    box = world.box(tv(), tv(**SECOND))
    lan, room = world.tap("lan", "box"), world.tap("room", "eth0")
    for group in (ANY4, "ff1e::8000:4"):
        for place in ("tv1", "room"):
            datagrams = world.listener(place, group).wait_for(30)
            assert (missing(datagrams), doubled(datagrams)) == (0, 0)
        assert {packet.source for packet in lan.packets(group)} == {sources(group)[0]}
        assert {packet.source for packet in room.packets(group, outgoing=False)} == {SECOND6 if ":" in group else SECOND4}
    assert [instance["name"] for instance in box.show()["instance"]] == ["tv", "second"]


def test_rules_choose_the_upstream(world: MulticastWorld) -> None:
    """What the first upstream may not carry comes from the second."""
    box = world.box(tv(upstream=["up0", "up1"], rule=[{"verdict": "deny", "interface": "up0", "group": "232.66.0.0/16"}]))
    world.stream(ONE4, SOURCES4[0])
    world.stream("232.66.0.1", SECOND4, space="provider2")
    world.listener("tv1", ONE4, SOURCES4[0]).wait_for(20)
    world.listener("tv1", "232.66.0.1", SECOND4).wait_for(20)
    assert [row["interface_name"] for row in box.group(ONE4)["upstream_interface"]] == ["up0"]
    assert [row["interface_name"] for row in box.group("232.66.0.1")["upstream_interface"]] == ["up1"]


def test_reload_touches_no_stream_that_did_not_change(world: MulticastWorld) -> None:
    world.streams(ALL)
    world.stream("232.66.0.1", SECOND4, space="provider2")
    box = world.box(tv())
    listeners = [world.listener("tv1", group, *wanted_sources(group)) for group in ALL]
    for listener in listeners:
        listener.wait_for(10)
    changes = box.instance()["upstream_changes"]
    box.reload(tv(), tv(**SECOND))
    box.wait_until_serving()
    world.listener("room", "232.66.0.1", SECOND4).wait_for(20)
    box.reload(tv(rule=[{"verdict": "deny", "group": "239.99.0.0/16"}]))
    until(lambda: len(box.show()["instance"]) == 1, "the second instance gone")
    for listener in listeners:
        listener.wait_for(30)
        assert missing(listener.received) == 0, f"{listener.group} was interrupted by the reload"
    assert box.instance()["upstream_changes"] == changes


def test_reload_stops_what_is_denied_now(world: MulticastWorld) -> None:
    world.streams(ALL)
    box = world.box(tv())
    lan = world.tap("lan", "box")
    listeners = {group: world.listener("tv1", group, *wanted_sources(group)) for group in ALL}
    for listener in listeners.values():
        listener.wait_for(10)
    box.reload(tv(rule=[{"verdict": "deny", "group": ANY4}]))
    lan.quiet(ANY4)
    for group, listener in listeners.items():
        if group != ANY4:
            listener.wait_for(10)
            assert missing(listener.received) == 0
    box.reload(tv())
    listeners[ANY4].wait_for(10)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"downstream": ["up0"]}, "up0"),
        ({"upstream": []}, "upstream"),
        ({"downstream": []}, "downstream"),
        ({"route": [{"from": "up0", "to": ["up9"], "group": "239.1.0.0/16"}]}, "up9"),
        ({"query_interval_s": 1}, "query_interval_s"),
    ],
)
def test_settings_that_cannot_be_are_refused_and_change_nothing(world: MulticastWorld, changes: dict[str, object], says: str) -> None:
    world.stream("ff1e::8000:4", SOURCES6[0])
    box = world.box(tv())
    listener = world.listener("tv1", "ff1e::8000:4")
    listener.wait_for(10)
    with pytest.raises(Refused, match=says):
        box.reload(tv(**changes))
    listener.wait_for(20)
    assert missing(listener.received) == 0
