"""The network of the proxy comparison: a source, a proxy and a receiver, two cables between them.

    source eth0 ---- up0 proxy lan0 ---- eth0 receiver
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from hearthlab.namespace import Namespace, existing
from hearthlab.topology import SYSCTLS
from hearthlab.waiting import until

SOURCE4, SOURCE6 = "10.64.0.10", "2001:db8:64::10"


@dataclass
class Line:
    """Raised anew for each peer: hosts remember old queriers for minutes."""

    prefix: str
    spaces: dict[str, Namespace] = field(init=False)

    def __post_init__(self) -> None:
        self.spaces = {name: Namespace(self.prefix, name) for name in ("source", "proxy", "receiver")}

    def __getitem__(self, name: str) -> Namespace:
        return self.spaces[name]

    def up(self) -> None:
        self.down()
        for space in self.spaces.values():
            space.create({**SYSCTLS, "ipv4/igmp_max_memberships": 2000})
        cable(self["source"], "eth0", self["proxy"], "up0")
        cable(self["receiver"], "eth0", self["proxy"], "lan0")
        self["source"].ip(f"address add {SOURCE4}/24 dev eth0", f"address add {SOURCE6}/64 dev eth0 nodad", "link set eth0 up")
        self["proxy"].sysctl({"ipv4/ip_forward": 1})
        self["proxy"].ip(
            "address add 10.64.0.2/24 dev up0", "address add 2001:db8:64::2/64 dev up0 nodad",
            "address add 192.168.1.1/24 dev lan0", "address add 2001:db8:1::1/64 dev lan0 nodad",
            "link set up0 up", "link set lan0 up",
        )
        self["receiver"].ip("address add 192.168.1.20/24 dev eth0", "address add 2001:db8:1::20/64 dev eth0 nodad", "link set eth0 up")
        for name, port in (("source", "eth0"), ("proxy", "up0"), ("proxy", "lan0"), ("receiver", "eth0")):
            until(lambda: ready(self[name], port), f"{name}'s link-local address", timeout=20, pause=0.02)

    def down(self) -> None:
        for full_name in existing(self.prefix):
            Namespace("", full_name).remove()


def cable(left: Namespace, port: str, right: Namespace, peer: str) -> None:
    """A cable that behaves like an ordinary network card: large packets are cut up before they leave."""
    left.ip(f"link add {port} type veth peer name {peer} netns {right.full_name}")
    for space, name in ((left, port), (right, peer)):
        space.run("ethtool", "-K", name, "tx-udp-segmentation", "off", check=False)


def ready(space: Namespace, port: str) -> bool:
    """Whether the interface has a link-local address that may be used."""
    shown = json.loads(space.run("ip", "-j", "-6", "address", "show", "dev", port))
    return any(
        item["scope"] == "link" and not item.get("tentative") for link in shown for item in link.get("addr_info", [])
    )


def received_packets(space: Namespace, port: str) -> int:
    shown = json.loads(space.run("ip", "-j", "-s", "link", "show", "dev", port))
    return int(shown[0]["stats64"]["rx"]["packets"])
