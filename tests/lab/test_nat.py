"""The lab's routers are what their profile says, and both sites reach the rendezvous through them."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from hearthlab import nat, stun_probe
from hearthlab.topology import AWAY_WAN_IP4, RENDEZVOUS_IP4, RENDEZVOUS_SECOND_IP4, Topology

SERVERS = (RENDEZVOUS_IP4, RENDEZVOUS_SECOND_IP4)


@pytest.fixture(scope="module")
def server(topology: Topology) -> Iterator[stun_probe.Server]:
    stun = stun_probe.Server(topology["rendezvous"], SERVERS)
    yield stun
    stun.close()


@pytest.mark.parametrize("site", ["box", "homepc", "laptop"])
def test_site_is_behind_a_port_restricted_nat(topology: Topology, server: stun_probe.Server, site: str) -> None:
    assert stun_probe.behaviour(topology[site], SERVERS) == ("EIM", "APDF")


def test_host_without_nat_is_recognised(topology: Topology, server: stun_probe.Server) -> None:
    assert stun_probe.behaviour(topology["internet"], SERVERS) == ("EIM", "EIF")


@pytest.fixture(params=list(nat.PROFILES.values()), ids=list(nat.PROFILES))
def profile(topology: Topology, request: pytest.FixtureRequest) -> Iterator[nat.Profile]:
    nat.apply(topology["awaynat"], AWAY_WAN_IP4, request.param)
    yield request.param
    nat.apply(topology["awaynat"], AWAY_WAN_IP4, nat.PORT_RESTRICTED)


def test_router_is_what_its_profile_says(topology: Topology, server: stun_probe.Server, profile: nat.Profile) -> None:
    if profile.mapping is None:
        with pytest.raises(RuntimeError, match="UDP does not pass"):
            stun_probe.behaviour(topology["laptop"], SERVERS)
    else:
        assert stun_probe.behaviour(topology["laptop"], SERVERS) == (profile.mapping, profile.filtering)


def test_hairpin_reaches_a_neighbour_by_the_address_outside(topology: Topology, server: stun_probe.Server) -> None:
    def reached() -> bool:
        with topology["laptop"].socket(socket.AF_INET, socket.SOCK_DGRAM) as one, topology["laptop"].socket(
            socket.AF_INET, socket.SOCK_DGRAM
        ) as other:
            place = stun_probe.mapped(one, (RENDEZVOUS_IP4, stun_probe.PORTS[0]))
            assert place is not None
            other.sendto(b"neighbour", place)
            one.settimeout(0.5)
            try:
                return one.recv(64) == b"neighbour"
            except TimeoutError:
                return False

    try:
        assert not reached()
        nat.apply(topology["awaynat"], AWAY_WAN_IP4, nat.PROFILES["hairpin"])
        assert reached()
    finally:
        nat.apply(topology["awaynat"], AWAY_WAN_IP4, nat.PORT_RESTRICTED)
