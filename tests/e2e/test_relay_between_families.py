"""A home whose UDP is IPv6 alone, a viewer whose network is IPv4 alone, and a relay that has both."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hearthlab.fixtures import raised
from hearthlab.nat import FIREWALL6
from hearthlab.relay import ADDRESS, PORT
from hearthlab.relayed import laptop_between, watch
from hearthlab.topology import HOME_WAN_IP4
from hearthlab.waiting import until
from hearthlab.world import World

RELAY_IP6 = "2001:db8:c::11"
BOX_IP6 = "2001:db8:1::10"
# Of the home's IPv4 what the rendezvous needs is left.
NO_IP4_FROM_HOME_TO_RELAY_AND_AWAY = f"""
table ip homeonsix {{
  chain through {{
    type filter hook forward priority filter;
    ip saddr {HOME_WAN_IP4} ip daddr != 203.0.113.10 udp length > 0 drop
    ip daddr {HOME_WAN_IP4} ip saddr != 203.0.113.10 udp length > 0 drop
  }}
}}
"""


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with raised(relay=True) as lab:
        home_joins_by_ip6(lab)
        yield lab


def home_joins_by_ip6(world: World) -> None:
    """Behind a firewall that lets in only what was asked for; the relay has IPv6, too, and the away side none."""
    topology = world.topology
    for name in ("homenat", "internet"):
        topology[name].sysctl({"ipv6/conf/all/forwarding": 1})
    topology["internet"].ip(
        "address replace 2001:db8:a1::1/64 dev home nodad", "address replace 2001:db8:c::1/64 dev service nodad",
        "route replace 2001:db8:1::/64 via 2001:db8:a1::2",
    )
    topology["homenat"].ip(
        "address replace 2001:db8:a1::2/64 dev wan nodad", "address replace 2001:db8:1::1/64 dev lan nodad",
        "route replace default via 2001:db8:a1::1",
    )
    topology["box"].ip(f"address replace {BOX_IP6}/64 dev eth0 nodad", "route replace default via 2001:db8:1::1")
    topology["rendezvous"].ip(f"address replace {RELAY_IP6}/64 dev eth0 nodad", "route replace default via 2001:db8:c::1")
    topology["internet"].nft(NO_IP4_FROM_HOME_TO_RELAY_AND_AWAY)
    assert world.relay
    world.relay.relays_from.append(RELAY_IP6)
    world.relay.restart()


def test_the_picture_comes_whole_through_both_families(world: World) -> None:
    away = laptop_between(world, home="port-restricted", away="port-restricted")
    world.topology["homenat"].nft(FIREWALL6)
    result = watch(world, away)
    assert result.bytes_equal, result
    path = away.program.ask("status")["path"]
    assert (path["type"], path["endpoint"]) == ("relay", f"{ADDRESS}:{PORT}"), "the viewer speaks IPv4 to the relay"
    (device,) = until(lambda: world.box.ask("devices")["devices"], "the device")
    assert device["path"] == "relayed"
    assert device["address"].startswith(f"[{RELAY_IP6}]:"), "and the box IPv6"
