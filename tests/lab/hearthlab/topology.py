"""The map of the lab: which namespaces there are, how they are joined, and their addresses.

    provider --- edge ===== lan ===== homenat --- internet --- awaynat --- laptop
             bridge with    |  |                     |
             snooping      box homepc           rendezvous

`edge` is the provider's access node: a bridge that passes a group to the home only while somebody there listens.
`lan` is a plain switch without snooping, as found in homes: the box has one port, for the groups and for the Internet.
"""

from __future__ import annotations

import time

from . import nat
from .namespace import Spaces, existing

# The carriers' routers are not on the way until a test puts them there (sites.py).
NAMES = (
    "provider", "edge", "lan", "box", "homepc", "homenat", "homecarrier", "internet", "rendezvous", "awaycarrier", "awaynat", "laptop",
)

PROVIDER_IP4 = "10.64.0.10"
PROVIDER_IP6 = "2001:db8:64::10"
BOX_IP4 = "192.168.1.10"
HOMEPC_IP4 = "192.168.1.20"
HOME_WAN_IP4 = "198.51.100.2"
AWAY_WAN_IP4 = "192.0.2.2"
LAPTOP_IP4 = "192.168.7.20"
RENDEZVOUS_IP4 = "203.0.113.10"
RENDEZVOUS_SECOND_IP4 = "203.0.113.11"  # the second address that finding out a NAT's filtering needs

# (namespace, interface, namespace, interface): one cable each.
CABLES = (
    ("provider", "eth0", "edge", "provider"),
    ("edge", "home", "lan", "edge"),
    ("box", "eth0", "lan", "box"),
    ("homepc", "eth0", "lan", "homepc"),
    ("homenat", "lan", "lan", "router"),
    ("homenat", "wan", "internet", "home"),
    ("awaynat", "wan", "internet", "away"),
    ("rendezvous", "eth0", "internet", "service"),
    ("laptop", "eth0", "awaynat", "lan"),
)

# Without duplicate address detection every address works at once; the rest keeps runs alike on any machine.
SYSCTLS: dict[str, object] = {
    "ipv6/conf/default/accept_dad": 0,
    "ipv6/conf/all/accept_dad": 0,
    "ipv6/conf/default/accept_ra": 0,
    "ipv6/conf/default/disable_ipv6": 0,
    "ipv4/conf/default/rp_filter": 0,
    "ipv4/conf/all/rp_filter": 0,
    "ipv4/ip_unprivileged_port_start": 0,
    "ipv4/ping_group_range": "0 2147483647",
}


class Topology(Spaces):
    """The namespaces of one lab. `up` replaces whatever an earlier or crashed run left under the same prefix."""

    def __init__(self, name_prefix: str) -> None:
        super().__init__(name_prefix, NAMES)

    def up(self) -> None:
        self.down()
        for space in self.spaces.values():
            space.create(SYSCTLS)
        for left, left_port, right, right_port in CABLES:
            self[left].ip(
                f"link add {left_port} type veth peer name {right_port} netns {self[right].full_name}"
            )
        self._raise_edge()
        self._raise_switch()
        self._raise_hosts()
        self._raise_routers()

    def is_up(self) -> bool:
        return set(existing(self.prefix)) >= {space.full_name for space in self.spaces.values()}

    def _raise_edge(self) -> None:
        # A bridge forwards registered groups only while it knows a querier. It is one itself, but believes in itself
        # only after the response interval, so that is short until the edge is ready. Addresses let it send queries at
        # once. The home port gets nothing that nobody there asked for.
        self["edge"].ip(
            "link add edge type bridge mcast_snooping 1 mcast_igmp_version 3 mcast_mld_version 2"
            " mcast_query_response_interval 10 mcast_query_interval 1000 mcast_startup_query_interval 100"
            " mcast_startup_query_count 4 mcast_membership_interval 2600 mcast_querier_interval 2600"
            " mcast_last_member_interval 50 mcast_last_member_count 2 mcast_query_use_ifaddr 1",
            "address add 10.64.0.1/24 dev edge",
            "address add 2001:db8:64::1/64 dev edge nodad",
            "link set provider master edge",
            "link set home master edge",
            "link set provider up",
            "link set home up",
            "link set home type bridge_slave mcast_flood off",
            "link set edge up",
            "link set edge type bridge mcast_querier 1",
        )
        time.sleep(0.2)
        self["edge"].ip("link set edge type bridge mcast_query_response_interval 100")

    def _raise_switch(self) -> None:
        ports = [port for name, _, switch, port in CABLES if switch == "lan"]
        self["lan"].ip(
            "link add switch type bridge mcast_snooping 0",
            *(f"link set {port} master switch" for port in ports),
            *(f"link set {port} up" for port in ports),
            "link set switch up",
        )

    def _raise_hosts(self) -> None:
        self["provider"].ip(
            f"address add {PROVIDER_IP4}/24 dev eth0",
            f"address add {PROVIDER_IP6}/64 dev eth0 nodad",
            "link set eth0 up",
        )
        hosts = {
            "box": ([BOX_IP4], "192.168.1.1"),
            "homepc": ([HOMEPC_IP4], "192.168.1.1"),
            "laptop": ([LAPTOP_IP4], "192.168.7.1"),
            "rendezvous": ([RENDEZVOUS_IP4, RENDEZVOUS_SECOND_IP4], "203.0.113.1"),
        }
        for name, (addresses, gateway) in hosts.items():
            self[name].ip(
                *(f"address add {address}/24 dev eth0" for address in addresses),
                "link set eth0 up",
                f"route add default via {gateway}",
            )

    def _raise_routers(self) -> None:
        self["internet"].sysctl({"ipv4/ip_forward": 1})
        self["internet"].ip(
            "address add 203.0.113.1/24 dev service",
            "address add 198.51.100.1/24 dev home",
            "address add 192.0.2.1/24 dev away",
            *(f"link set {port} up" for port in ("service", "home", "away")),
        )
        for name, inside, outside, gateway in (
            ("homenat", "192.168.1.1", HOME_WAN_IP4, "198.51.100.1"),
            ("awaynat", "192.168.7.1", AWAY_WAN_IP4, "192.0.2.1"),
        ):
            self[name].sysctl({"ipv4/ip_forward": 1})
            self[name].ip(
                f"address add {inside}/24 dev lan",
                f"address add {outside}/24 dev wan",
                "link set lan up",
                "link set wan up",
                f"route add default via {gateway}",
            )
            nat.apply(self[name], outside, nat.PORT_RESTRICTED)
