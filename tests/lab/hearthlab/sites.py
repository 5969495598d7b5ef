"""What kind of Internet access each of the two sites has: its NAT, a carrier's NAT behind it, IPv6 with a firewall."""

from __future__ import annotations

from . import nat
from .topology import AWAY_WAN_IP4, HOME_WAN_IP4, Topology

CARRIER_GRADE = "carrier-grade"  # two NATs, one behind the other
IP6_FIREWALL = "ip6-firewall"  # IPv6 without NAT, and no IPv4 between the sites
KINDS = (*nat.PROFILES, CARRIER_GRADE, IP6_FIREWALL)

# (router, its network outside and address there, the Internet's end of its cable, number of the site, host inside)
_SITES = {
    "home": ("homenat", "198.51.100", HOME_WAN_IP4, "home", 1, "box"),
    "away": ("awaynat", "192.0.2", AWAY_WAN_IP4, "away", 2, "laptop"),
}
_NO_IP4_BETWEEN_THE_SITES = f"""
table ip onlysix {{
  chain through {{
    type filter hook forward priority filter;
    ip saddr {HOME_WAN_IP4} ip daddr {AWAY_WAN_IP4} udp length > 0 drop
    ip saddr {AWAY_WAN_IP4} ip daddr {HOME_WAN_IP4} udp length > 0 drop
  }}
}}
"""


def give_access(topology: Topology, *, home: str = "", away: str = "") -> None:
    """A site that is named has that access from now on; its router knows nothing of what was before."""
    for site, kind in (("home", home), ("away", away)):
        if kind:
            router, _, wan, *_ = _SITES[site]
            nat.apply(topology[router], wan, nat.PROFILES.get(kind, nat.PORT_RESTRICTED))
            _put_carrier(topology, site, there=kind == CARRIER_GRADE)


def _put_carrier(topology: Topology, site: str, *, there: bool) -> None:
    """The site's cable to the Internet ends at its carrier's router, or at the Internet."""
    _, network, _, link, number, _ = _SITES[site]
    internet, carrier = topology["internet"], topology[f"{site}carrier"]
    if there == ("lan" in carrier.run("ls", "/sys/class/net").split()):
        return
    gateway, outside = f"{network}.1/24", f"198.18.{number}"
    if there:
        internet.ip(f"link set {link} netns {carrier.full_name}", f"link add {link} type veth peer name wan netns {carrier.full_name}")
        internet.ip(f"address add {outside}.1/24 dev {link}", f"link set {link} up")
        carrier.sysctl({"ipv4/ip_forward": 1})
        carrier.ip(
            f"link set {link} name lan", f"address add {gateway} dev lan", f"address add {outside}.2/24 dev wan",
            "link set lan up", "link set wan up", f"route add default via {outside}.1",
        )
        nat.apply(carrier, f"{outside}.2", nat.PORT_RESTRICTED)
    else:
        internet.ip(f"link delete {link}")
        carrier.ip(f"link set lan name {link}", f"link set {link} netns {internet.full_name}")
        internet.ip(f"address add {gateway} dev {link}", f"link set {link} up")


def narrow_away(topology: Topology, mtu: int) -> None:
    """The Internet's link to the away site carries IP packets of that size from now on."""
    topology["internet"].ip(f"link set away mtu {mtu}")
    topology["awaynat"].ip(f"link set wan mtu {mtu}")


def join_by_ip6(topology: Topology, *, firewall: bool = False) -> None:
    """IPv6 from box to laptop, and no IPv4 between the two sites any more; the rendezvous stays on IPv4."""
    for name in ("homenat", "internet", "awaynat"):
        topology[name].sysctl({"ipv6/conf/all/forwarding": 1})
    for router, _, _, link, number, host in _SITES.values():
        outer, inner = f"2001:db8:a{number}", f"2001:db8:{number}"
        topology["internet"].ip(f"address replace {outer}::1/64 dev {link} nodad", f"route replace {inner}::/64 via {outer}::2")
        topology[router].ip(
            f"address replace {outer}::2/64 dev wan nodad", f"address replace {inner}::1/64 dev lan nodad",
            f"route replace default via {outer}::1",
        )
        topology[host].ip(f"address replace {inner}::20/64 dev eth0 nodad", f"route replace default via {inner}::1")
        if firewall:
            topology[router].nft(nat.FIREWALL6)
    block_between_sites(topology)


def block_between_sites(topology: Topology) -> None:
    """From now on no IPv4 datagram of one site comes to the other, whatever their NATs are; the rest of the Internet stays."""
    topology["internet"].nft(_NO_IP4_BETWEEN_THE_SITES)


def open_between_sites(topology: Topology) -> None:
    """Undoes `block_between_sites`."""
    topology["internet"].nft("flush ruleset")


def part_ip6(topology: Topology) -> None:
    """Undoes `join_by_ip6`."""
    for *_, host in _SITES.values():
        topology[host].run("ip", "-6", "address", "flush", "dev", "eth0", "scope", "global")
    open_between_sites(topology)
