"""Devices away are downstreams of an instance like any other: joined for, merged, shown, and never in the kernel's routes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from hearthlab.player import Player
from hearthlab.waiting import until
from mclab.away import channel_url, import_channels
from mclab.box import Box, tv
from mclab.groups import ONE4, ONE6, sources
from mclab.traffic import PORT
from mclab.world import MulticastWorld

CHANNELS = {"Six": ONE6, "Four": ONE4}


def box_for_devices(world: MulticastWorld, **changes: object) -> Box:
    """What the settings say apart from the instance is another, silent interface: only the instance knows the right one."""
    box = world.box(tv(tunnels="chosen", **changes), settings={"network": {"upstream_interface": "up1"}})
    import_channels(box.program, world.folder, {name: channel_url(group, sources(group)[0], PORT) for name, group in CHANNELS.items()})
    return box


@contextlib.contextmanager
def watching(player: Player) -> Iterator[Player]:
    try:
        player.wait_for_octets(4000, timeout=60)
        yield player
    finally:
        player.close()


def wanted_by(box: Box, group: str) -> set[str]:
    return {row["interface_name"] for row in (box.group(group) or {"downstream_interface": []})["downstream_interface"]}


def test_a_device_is_joined_for_on_the_instances_upstream_beside_the_lan(world: MulticastWorld) -> None:
    for group in CHANNELS.values():
        world.stream(group, sources(group)[0])
    box = box_for_devices(world)
    away = world.away(box)
    home = world.tap("edge", "home")
    for name, group in CHANNELS.items():
        source = sources(group)[0]
        with watching(away.play(name)) as player:
            until(lambda: wanted_by(box, group) == {"device 1"}, f"the device among the downstreams of {group}")
            assert [row["interface_name"] for row in box.group(group)["upstream_interface"]] == ["up0"]
            home.wait_for(lambda message: any(record.group == group for record in message.records), f"the join of {group} upstream")
            assert not [route for route in box.routes(group) if route["outgoing_interface"]], "a tunnel is no output of the kernel"
            listener = world.listener("tv1", group, source)
            listener.wait_for(20)
            until(lambda: wanted_by(box, group) == {"device 1", "lan0"}, "both downstreams")
            player.wait_for_more(4000)
            listener.leave()
            until(lambda: wanted_by(box, group) == {"device 1"}, "the device alone")
            player.wait_for_more(4000)
        until(lambda: not wanted_by(box, group), f"nobody who wants {group}")
        until(lambda: box.group(group) is None, f"{group} left upstream")


def test_the_tunnels_port_has_room_for_a_storm_of_reports(world: MulticastWorld) -> None:
    box_for_devices(world)
    port = world["box"].run("ss", "-ulnmH", "sport", "=", ":4755")
    assert "rb8388608," in port, f"4 MiB, which the kernel doubles for its own overhead: {port}"


def test_a_rule_for_devices_takes_the_join_away_and_gives_it_back(world: MulticastWorld) -> None:
    world.stream(ONE6, sources(ONE6)[0])
    box = box_for_devices(world)
    away = world.away(box)
    with watching(away.play("Six")) as player:
        until(lambda: wanted_by(box, ONE6) == {"device 1"}, "the device among the downstreams")
        instance = box.instances[0]
        box.reload({**instance, "rule": [{"verdict": "deny", "interface": "/tunnels", "group": f"{ONE6}/128"}]})
        until(lambda: not (box.group(ONE6) or {"upstream_interface": []})["upstream_interface"], "no join for devices")
        box.reload(instance)
        until(lambda: [row["interface_name"] for row in (box.group(ONE6) or {"upstream_interface": []})["upstream_interface"]] == ["up0"],
              "the join again")
        player.wait_for_more(4000)
