"""The lab's routers are what their profile says, and both sites reach the rendezvous through them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hearthlab import stun_probe
from hearthlab.topology import RENDEZVOUS_IP4, RENDEZVOUS_SECOND_IP4, Topology

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
