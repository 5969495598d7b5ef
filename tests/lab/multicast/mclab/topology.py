"""The networks around a multicast proxy: a provider above, a LAN with listeners and rivals below, in namespaces.

```
provider --- edge ---up0 box lan0--- lan === tv1, tv2, rival, router2 ---den0 den
provider2 ----------up1     lan1--- room
edge --------------------------------------------up0 router2
```

`edge` is a bridge with snooping and a querier, a plain bridge, or a router on which something else runs.
"""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from enum import Enum

from hearthlab.namespace import Namespace, Spaces, existing
from hearthlab.topology import SYSCTLS
from hearthlab.waiting import until

NAMES = ("provider", "edge", "provider2", "box", "lan", "tv1", "tv2", "rival", "router2", "den", "room")

# (namespace, interface, namespace, interface): one cable each.
CABLES = (
    ("provider", "eth0", "edge", "provider"),
    ("box", "up0", "edge", "home"),
    ("router2", "up0", "edge", "home2"),
    ("box", "up1", "provider2", "eth0"),
    ("box", "lan0", "lan", "box"),
    ("tv1", "eth0", "lan", "tv1"),
    ("tv2", "eth0", "lan", "tv2"),
    ("rival", "eth0", "lan", "rival"),
    ("router2", "lan0", "lan", "router2"),
    ("router2", "den0", "den", "eth0"),
    ("box", "lan1", "room", "eth0"),
)

SOURCES4 = ("10.64.0.10", "10.64.0.11", "10.64.0.12")
SOURCES6 = ("2001:db8:64::10", "2001:db8:64::11", "2001:db8:64::12")
SECOND4, SECOND6 = "10.66.0.10", "2001:db8:66::10"  # the second provider

_ADDRESSES = {
    ("provider", "eth0"): (*(f"{a}/24" for a in SOURCES4), *(f"{a}/64" for a in SOURCES6)),
    ("provider2", "eth0"): (f"{SECOND4}/24", f"{SECOND6}/64"),
    ("box", "up1"): ("10.66.0.2/24", "2001:db8:66::2/64"),
    ("box", "lan0"): ("192.168.1.10/24", "2001:db8:1::10/64"),
    ("box", "lan1"): ("192.168.2.10/24", "2001:db8:2::10/64"),
    ("tv1", "eth0"): ("192.168.1.21/24", "2001:db8:1::21/64"),
    ("tv2", "eth0"): ("192.168.1.22/24", "2001:db8:1::22/64"),
    ("rival", "eth0"): (),
    ("router2", "lan0"): ("192.168.1.30/24", "2001:db8:1::30/64"),
    ("router2", "den0"): ("192.168.3.30/24", "2001:db8:3::30/64"),
    ("den", "eth0"): ("192.168.3.41/24", "2001:db8:3::41/64"),
    ("room", "eth0"): ("192.168.2.31/24", "2001:db8:2::31/64"),
}


class Edge(Enum):
    """What stands between the provider and the home."""

    SNOOPING = "a bridge that passes only what is asked for, and asks"
    CABLE = "a bridge that passes everything and says nothing"
    ROUTER = "a router with a network on either side; a test starts the program on it"


class MulticastTopology(Spaces):
    """Raised by `up` in a fraction of a second, so each test has a fresh one: hosts remember old queriers for minutes."""

    def __init__(self, name_prefix: str, edge: Edge = Edge.SNOOPING) -> None:
        super().__init__(name_prefix, NAMES)
        self.edge = edge

    def up(self) -> None:
        self.down()
        _together(lambda space: space.create(SYSCTLS), self.spaces.values())
        for number, (left, port, right, peer) in enumerate(CABLES):
            self[left].ip(
                f"link add {port} address {mac(number, 1)} type veth peer name {peer} address {mac(number, 2)}"
                f" netns {self[right].full_name}"
            )
        _together(lambda raise_part: raise_part(), [self._raise_lan, self._raise_edge, *self._hosts()])
        self.wait_for_link_locals()

    def down(self) -> None:
        _together(lambda name: Namespace("", name).remove(), existing(self.prefix))

    def _raise_lan(self) -> None:
        ports = [peer for _, _, right, peer in CABLES if right == "lan"]
        self["lan"].ip(
            "link add switch type bridge mcast_snooping 0",
            *(f"link set {port} master switch" for port in ports),
            *(f"link set {port} up" for port in ports),
            "link set switch up",
        )

    def _raise_edge(self) -> None:
        edge, ports = self["edge"], ("provider", "home", "home2")
        if self.edge is Edge.ROUTER:
            edge.sysctl({"ipv4/ip_forward": 1, "ipv6/conf/all/forwarding": 1})
            edge.ip(
                "address add 10.64.0.1/24 dev provider",
                "address add 2001:db8:64::1/64 dev provider nodad",
                "address add 10.65.0.1/24 dev home",
                "address add 2001:db8:65::1/64 dev home nodad",
                *(f"link set {port} up" for port in ports),
            )
            return
        edge.ip(
            f"link add edge type bridge mcast_snooping {int(self.edge is Edge.SNOOPING)}",
            *(f"link set {port} master edge" for port in ports),
            *(f"link set {port} up" for port in ports),
            "link set edge up",
        )
        if self.edge is Edge.SNOOPING:
            self._raise_snooping()

    def _raise_snooping(self) -> None:
        """A querier each 10 s; the home's ports get only what was asked for. A bridge takes itself for a querier only a
        response interval after it began to be one, which nothing shows, so that interval is 100 ms until then."""
        self["edge"].ip(
            "link set edge type bridge mcast_igmp_version 3 mcast_mld_version 2 mcast_query_response_interval 10"
            " mcast_query_interval 1000 mcast_startup_query_interval 100 mcast_startup_query_count 4"
            " mcast_membership_interval 2600 mcast_querier_interval 2600 mcast_last_member_interval 20"
            " mcast_last_member_count 2 mcast_query_use_ifaddr 1 mcast_stats_enabled 1",
            "address add 10.64.0.1/24 dev edge",
            "address add 2001:db8:64::1/64 dev edge nodad",
            "link set home type bridge_slave mcast_flood off",
            "link set home2 type bridge_slave mcast_flood off",
        )
        until(lambda: link_local(self["edge"], "edge"), "the edge's link-local address", timeout=10, pause=0.01)
        self["edge"].ip("link set edge type bridge mcast_querier 1")
        time.sleep(0.15)
        self["edge"].ip("link set edge type bridge mcast_query_response_interval 50")

    def _upstream(self) -> tuple[str, str]:
        """What the addresses of the network between edge and home begin with."""
        return ("10.65.0", "2001:db8:65:") if self.edge is Edge.ROUTER else ("10.64.0", "2001:db8:64:")

    def _all_addresses(self) -> dict[tuple[str, str], tuple[str, ...]]:
        ip4, ip6 = self._upstream()
        return {
            **_ADDRESSES,
            ("box", "up0"): (f"{ip4}.2/24", f"{ip6}:2/64"),
            ("router2", "up0"): (f"{ip4}.3/24", f"{ip6}:3/64"),
        }

    def _hosts(self) -> list[object]:
        addresses = self._all_addresses()

        def raise_host(name: str) -> None:
            own = {port: values for (space, port), values in addresses.items() if space == name}
            lines = [f"link set {port} up" for port in own]
            for port, values in own.items():
                lines += [f"address add {value} dev {port}{' nodad' if ':' in value else ''}" for value in values]
            self[name].ip(*lines)
            if name == "provider" and self.edge is Edge.ROUTER:
                self[name].ip("route add default via 10.64.0.1", "route add default via 2001:db8:64::1")
            if name in ("box", "router2"):
                ip4, ip6 = self._upstream()
                self[name].ip(f"route add default via {ip4}.1", f"route add default via {ip6}:1")

        return [lambda name=name: raise_host(name) for name in NAMES if name not in ("edge", "lan")]

    def _far_end(self, name: str, interface: str) -> tuple[Namespace, str]:
        for left, port, right, peer in CABLES:
            if (left, port) == (name, interface):
                return self[right], peer
            if (right, peer) == (name, interface):
                return self[left], port
        raise LookupError(f"{name} has no {interface}")

    def pull(self, name: str, interface: str) -> None:
        """Takes the carrier from an interface, as pulling its cable does: its far end goes down."""
        space, peer = self._far_end(name, interface)
        space.ip(f"link set {peer} down")

    def plug(self, name: str, interface: str) -> None:
        space, peer = self._far_end(name, interface)
        space.ip(f"link set {peer} up")

    def replace(self, name: str, interface: str) -> None:
        """Deletes an interface that leads to a switch and makes a new one of the same name, addresses and place."""
        self[name].ip(f"link delete {interface}")
        self.create(name, interface)

    def create(self, name: str, interface: str) -> None:
        """Makes such an interface that was deleted."""
        space, peer = self._far_end(name, interface)
        master = {"edge": "edge", "lan": "switch"}[space.name]
        number = next(at for at, cable in enumerate(CABLES) if (name, interface) == cable[:2])
        self[name].ip(f"link add {interface} address {mac(number, 3)} type veth peer name {peer} netns {space.full_name}")
        space.ip(f"link set {peer} master {master}", f"link set {peer} up")
        if self.edge is Edge.SNOOPING and master == "edge":
            space.ip(f"link set {peer} type bridge_slave mcast_flood off")
        values = self._all_addresses()[name, interface]
        self[name].ip(
            f"link set {interface} up",
            *(f"address add {value} dev {interface}{' nodad' if ':' in value else ''}" for value in values),
        )

    def bridge_home_to_edge(self) -> None:
        """A cable that should not be: the LAN's switch and the provider's edge become one network."""
        self["lan"].ip(f"link add wrong type veth peer name wrong netns {self['edge'].full_name}", "link set wrong master switch", "link set wrong up")
        self["edge"].ip("link set wrong master edge", "link set wrong up")

    def unbridge_home_from_edge(self) -> None:
        self["lan"].ip("link delete wrong")

    def wait_for_link_locals(self) -> None:
        """An IPv6 host reports from its link-local address; until it has one its joins are lost."""
        for name, interface in (("box", "up0"), ("box", "lan0"), ("tv1", "eth0"), ("tv2", "eth0"), ("room", "eth0")):
            until(lambda: link_local(self[name], interface), f"{name}'s link-local address", timeout=10, pause=0.01)


def mac(cable: int, end: int) -> str:
    return f"02:00:00:00:{cable + 1:02x}:{end:02x}"


def link_local(space: Namespace, interface: str) -> str | None:
    """The interface's link-local address once it may be used."""
    for item in addresses_of(space, interface):
        if item["scope"] == "link" and item["family"] == "inet6" and not item.get("tentative"):
            return str(item["local"])
    return None


def addresses_of(space: Namespace, interface: str) -> list[dict[str, object]]:
    shown = json.loads(space.run("ip", "-j", "address", "show", "dev", interface))
    return [item for link in shown for item in link.get("addr_info", [])]


def _together(work: object, items: object) -> None:
    """Runs `work` on all items at once; the first error is raised."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, list(items)))  # type: ignore[arg-type, call-overload]
