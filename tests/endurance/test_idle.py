"""A laptop that nobody uses for hours stays reachable: its NAT mapping, and the box's, never close."""

from __future__ import annotations

import os
import time

from hearthlab.channels import ONE
from hearthlab.comparison import compare
from hearthlab.world import Away, World

IDLE_S = int(os.environ.get("HEARTHCAST_IDLE_SECONDS", "7200"))
LOOK_EVERY_S = 30
# The shortest life of a mapping that RFC 4787 allows, REQ-5.
MAPPING_S = 120


def test_mappings_stay_open_for_hours(world: World, away: Away) -> None:
    for router in ("homenat", "awaynat"):
        world.topology[router].sysctl(
            {"netfilter/nf_conntrack_udp_timeout": 30, "netfilter/nf_conntrack_udp_timeout_stream": MAPPING_S}
        )
    away.playing(ONE).close()
    (device,) = world.box.ask("devices")["devices"]
    address = device["address"]
    world.rendezvous.supervisor.stop()  # what keeps the path open must be the two ends alone
    deadline = time.monotonic() + IDLE_S
    while time.monotonic() < deadline:
        time.sleep(min(LOOK_EVERY_S, max(0.0, deadline - time.monotonic())))
        (device,) = world.box.ask("devices")["devices"]
        assert device["connected"]
        assert device["address"] == address
    player = away.playing(ONE, timeout=5)
    player.wait_for_more(1_000_000)
    player.close()
    assert compare(world.service.film(ONE), player.data()).bytes_equal
